// SPDX-License-Identifier: EUPL-1.2
// Documents of a campaign: deposited, downloaded, an executable that warns, deleted, brought back.
import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { after, before, test } from "node:test"
import { accessible, launch, newPage, noFault, noSidewaysScroll, says, signIn } from "../support/browser.js"
import { startServer } from "../support/server.js"

let server, browser, page, list
before(async () => {
  server = await startServer()
  browser = await launch()
  page = await newPage(browser, server.url)
  await signIn(page, server.accounts["sophie.martin"])
}, { timeout: 180_000 })
after(async () => {
  await browser?.close()
  await server?.stop()
})

const heading = (name) => page.getByRole("heading", { level: 1, name: says(name, { exact: true }) }).waitFor()
const button = (name) => page.getByRole("button", { name: says(name, { exact: true }) })
const link = (name) => page.getByRole("link", { name: says(name, { exact: true }) })
const shows = (text) => page.getByText(says(text)).first().waitFor()

const choose = (name, content) =>
  page.getByLabel(/^Déposez un fichier ici/).setInputFiles({ name, mimeType: "application/octet-stream", buffer: Buffer.from(content) })

// A program that does nothing: what announces one, and nothing else.
function program() {
  const bytes = Buffer.alloc(0x48)
  bytes.write("MZ", 0)
  bytes[0x3c] = 0x40
  bytes.write("PE", 0x40)
  return bytes
}

test("déposer, télécharger", { timeout: 120_000 }, async () => {
  await page.goto("/campagnes")
  await page.getByRole("link", { name: says("Migration Windows 11") }).first().click()
  await page.waitForURL("**/tableau-de-bord")
  await page.getByRole("navigation", { name: "Campagne" }).getByRole("link", { name: "Documents" }).click()
  await heading("Documents")
  list = page.url()
  await shows("Aucun document.")
  await accessible(page)
  await link("Déposer un document").first().click()
  await heading("Déposer un document")
  await accessible(page)
  await page.getByLabel("Nom affiché").fill("Procédure de migration")
  await page.getByLabel("Description").fill("À lire avant la première intervention.")
  await choose("procedure.pdf", "MZ")
  await button("Déposer").click()
  await page.getByRole("link", { name: says("Format non autorisé") }).waitFor()
  assert.equal(await page.getByLabel("Nom affiché").inputValue(), "Procédure de migration")
  await accessible(page)
  await choose("Procédure.pdf", "%PDF-1.7\n")
  await button("Déposer").click()
  await shows("« Procédure de migration » déposé.")
  const waiting = page.waitForEvent("download")
  await page.getByRole("link", { name: says("Télécharger Procédure de migration") }).click()
  const download = await waiting
  assert.equal(download.suggestedFilename(), "Procédure.pdf")
  assert.equal(await readFile(await download.path(), "utf8"), "%PDF-1.7\n")
})

test("un exécutable avertit avant", { timeout: 120_000 }, async () => {
  await page.goto(`${list}/nouveau`)
  await choose("outil.exe", program())
  assert.equal(await page.getByLabel("Nom affiché").inputValue(), "outil.exe", "proposed")
  await button("Déposer").click()
  await heading("outil.exe")
  await shows("Fichier exécutable : vérifiez sa provenance")
  await shows("Empreinte SHA-256")
  await accessible(page)
  await page.goto(list)
  await shows("2 documents affichés")
  await accessible(page)
  await page.setViewportSize({ width: 375, height: 800 })
  await noSidewaysScroll(page)
  await page.setViewportSize({ width: 1440, height: 900 })
})

test("remplacer, supprimer, restaurer", { timeout: 120_000 }, async () => {
  await link("Procédure de migration").click()
  await heading("Procédure de migration")
  await link("Remplacer le fichier").click()
  await accessible(page)
  await choose("Procédure v2.pdf", "%PDF-1.7\n2")
  await button("Remplacer").click()
  await shows("l’ancien est gardé 30 jours")
  await link("Procédure de migration").click()
  await shows("Anciens fichiers")
  await accessible(page)
  await link("Supprimer").click()
  await heading("Supprimer « Procédure de migration » ?")
  await button("Supprimer").click()
  await shows("1 document affiché")
  await link("Corbeille").click()
  await heading("Corbeille des documents")
  await accessible(page)
  await page.getByRole("button", { name: says("Restaurer Procédure de migration") }).click()
  await shows("2 documents affichés")
  noFault(page)
})
