// SPDX-License-Identifier: EUPL-1.2
// Every page of the desk, opened once: axe in both themes and at both widths, no sideways scroll, no script error.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { accessible, launch, newPage, noFault, signIn } from "../support/browser.js"
import { startServer } from "../support/server.js"

let server, browser
before(async () => {
  server = await startServer()
  browser = await launch()
}, { timeout: 180_000 })
after(async () => {
  await browser?.close()
  await server?.stop()
})

async function walk(account, addresses) {
  const page = await newPage(browser, server.url)
  if (account) await signIn(page, server.accounts[account])
  for (const address of typeof addresses === "function" ? await addresses(page) : addresses) {
    const answer = await page.goto(address)
    assert.equal(answer.status(), 200, address)
    assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1, `${address} : un seul titre`)
    await accessible(page)
  }
  noFault(page)
  await page.context().close()
}

test("l'administration", { timeout: 300_000 }, () => walk("marc.lefevre", [
  "/administration", "/administration/utilisateurs", "/administration/groupes", "/administration/types", "/administration/workflows",
  "/administration/workflows/nouveau", "/administration/configuration", "/administration/audit", "/administration/etat",
  "/administration/parametres/organisation", "/administration/parametres/textes", "/administration/parametres/securite",
  "/administration/parametres/messagerie", "/administration/messages",
]))

test("une campagne et ses paramètres", { timeout: 300_000 }, () => walk("sophie.martin", async (page) => {
  await page.goto("/campagnes")
  const link = await page.getByRole("link", { name: /^Migration Windows 11/ }).first().getAttribute("href")
  const root = link.split("/").slice(0, 3).join("/")
  const under = ["segments", "segments/nouveau", "prerequis", "prerequis/nouveau", "calendrier", "calendrier?vue=mois", "vues", "activite", "historique", "copie", "suppression",
    "parametres/general", "parametres/champs", "parametres/workflow", "parametres/habilitations", "parametres/visibilite", "parametres/partage", "parametres/statut",
    "parametres/proprietaire", "parametres/corbeille"]
  return ["/campagnes/corbeille", ...under.map((path) => `${root}/${path}`)]
}))

test("le profil et les pages ouvertes à tous", { timeout: 300_000 }, async () => {
  await walk("karim.benali", ["/profil", "/profil/sessions", "/profil/double-authentification", "/aide", "/aide/tout", "/recherche?q=pc"])
  await walk(null, ["/accessibilite", "/mentions-legales", "/donnees-personnelles", "/plan-du-site", "/contact", "/aide"])
})
