// SPDX-License-Identifier: EUPL-1.2
// Sophie's desk: many operations at once, then the list to a spreadsheet and back without a change.
import assert from "node:assert/strict"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { after, before, test } from "node:test"
import { accessible, becomes, launch, newPage, noFault, plain, press, says, signIn, tabTo } from "../support/browser.js"
import { startServer } from "../support/server.js"

let server, browser, page
before(async () => {
  server = await startServer()
  browser = await launch()
  page = await newPage(browser, server.url, { acceptDownloads: true })
  await signIn(page, server.accounts["sophie.martin"])
}, { timeout: 180_000 })
after(async () => {
  await browser?.close()
  await server?.stop()
})

const heading = (name) => page.getByRole("heading", { level: 1, name: says(name, { exact: true }) }).waitFor()
const button = (name) => page.getByRole("button", { name: says(name, { exact: true }) })
const shows = (text) => page.getByText(says(text)).first().waitFor()

async function operations() {
  await page.goto("/campagnes")
  await page.getByRole("link", { name: /^Opérations de Migration Windows 11/ }).click()
  await heading("Opérations")
}

/** The number of a line of « Résultat ». */
const result = async (label) => Number(plain(await page.locator(".facts div", { hasText: label }).locator("dd").innerText()).replace(/\s/g, ""))

test("assigner tout un résultat, voir le compte, puis l'annuler", { timeout: 180_000 }, async () => {
  await operations()
  await accessible(page)
  await page.getByRole("combobox", { name: "Technicien" }).selectOption({ label: "Non assigné" })
  await button("Filtrer").click()
  await page.waitForURL(/technicien=aucun/)
  const found = Number(plain(await page.locator(".toolbar strong").first().innerText()).match(/^([\d ]+) résultats?/)[1].replace(/\s/g, ""))
  assert.ok(found > 0, "la démonstration a des opérations non assignées")
  await page.getByRole("button", { name: says("Modifier les") }).click()
  await heading("Actions groupées")
  await shows(`${found} opérations choisies`)
  await accessible(page)
  await page.getByRole("combobox", { name: "Technicien" }).selectOption({ label: "Luc BERNARD" })
  await button("Voir ce qui va changer").click()
  await heading("Technicien : Luc BERNARD")
  await accessible(page)
  await page.getByRole("button", { name: says("Appliquer à") }).click()
  await shows("Résultat")
  assert.equal(await result("Modifiées"), found)
  await accessible(page)
  await button("Annuler cette action").click()
  await shows("Rétablies")
  await becomes(() => result("Rétablies"), found, "tout est rétabli")
  noFault(page)
})

test("cocher au clavier, la case de la page, et les erreurs gardent la saisie", { timeout: 120_000 }, async () => {
  await operations()
  await tabTo(page, "checkbox", "Cocher toute la page")
  await press(page, "Space")
  await shows("50 opérations cochées")
  await press(page, "Space")
  assert.equal(await page.locator("input[name=op]:checked").count(), 0)
  const first = page.locator("input[name=op]").first()
  await tabTo(page, "checkbox", plain(await first.locator("xpath=..").innerText()))
  await press(page, "Space")
  await shows("1 opération cochée")
  await button("Modifier la sélection : les opérations cochées").click()
  await heading("Actions groupées")
  await page.getByRole("link", { name: "Ajouter une note" }).click()
  await button("Voir ce qui va changer").click()
  await page.locator(".summary-errors", { hasText: "Ce champ est obligatoire" }).waitFor()
  await accessible(page)
  await page.getByRole("textbox", { name: /^Note/ }).fill("Prévenir l’accueil")
  await button("Voir ce qui va changer").click()
  await shows("1 opération sera modifiée")
  await button("Abandonner").click()
  await shows("aucune opération n’a changé")
  noFault(page)
})

test("exporter en Excel, réimporter le fichier intact : aucun changement", { timeout: 180_000 }, async () => {
  await operations()
  await page.getByRole("link", { name: "Exporter" }).click()
  await heading("Exporter les opérations")
  await accessible(page)
  await page.getByLabel("Toutes", { exact: false }).check()
  const exported = async (format) => {
    await page.getByRole("radio", { name: format }).check()
    const download = page.waitForEvent("download")
    await button("Exporter").click()
    return download
  }
  // A browser takes a CSV compressed, as it is written.
  const csv = await readFile(await (await exported(/^CSV/)).path(), "utf8")
  assert.match(csv, /^\ufeffIdentifiant;Libellé;Statut;Catégorie;Segment;/)
  assert.equal(csv.trimEnd().split("\r\n").length, 848)
  const path = join(await mkdtemp(join(tmpdir(), "opstracker-export-")), "operations.xlsx")
  const file = await exported(/^Excel/)
  assert.match(file.suggestedFilename(), /^op.rations-.*\.xlsx$/)
  await file.saveAs(path)

  await operations()
  await page.getByRole("link", { name: "Importer", exact: true }).click()
  await page.getByLabel(/^Déposez un fichier ici/).setInputFiles(path)
  await button("Envoyer le fichier").click()
  await heading("Colonnes du fichier")
  await button("Vérifier les lignes").click()
  await heading("Vérification des lignes")
  const stat = async (label) => plain(await page.locator(".stat", { hasText: label }).locator(".stat__value").innerText())
  assert.equal(await stat("Erreurs"), "0")
  await page.getByRole("button", { name: /^(Importer|Confirmer)/ }).click()
  await shows("Comptes")
  assert.equal(await result("Créées"), 0)
  assert.equal(await result("Modifiées"), 0)
  assert.equal(await result("Inchangées"), 847)
  await rm(dirname(path), { recursive: true })
  noFault(page)
})
