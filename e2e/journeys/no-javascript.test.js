// SPDX-License-Identifier: EUPL-1.2
// The same day without JavaScript: plain forms and plain pages.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { accessibleWithoutScript, launch, newPage, noFault, plain, says, signIn } from "../support/browser.js"
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

/** A stop of the journey: the page is there, and axe finds nothing on it. */
async function h1(page, name) {
  await page.getByRole("heading", { level: 1, name: says(name, { exact: true }) }).waitFor()
  await accessibleWithoutScript(page)
}
const shows = (page, text) => page.getByText(says(text)).first().waitFor()

test("GP-2 sans JavaScript : se connecter, démarrer, terminer, revenir à la liste", { timeout: 120_000 }, async () => {
  const page = await newPage(browser, server.url, { javaScriptEnabled: false, viewport: { width: 375, height: 800 } })
  await signIn(page, server.accounts["karim.benali"])
  assert.equal(new URL(page.url()).pathname, "/terrain")
  const next = page.locator(".visit--next")
  const label = plain(await next.getByRole("heading").innerText())
  await next.getByRole("link", { name: label }).click()
  await h1(page, label)
  await page.getByRole("button", { name: "Démarrer" }).click()
  await shows(page, "Statut mis à jour : En cours")
  await h1(page, label)
  const box = page.getByRole("button", { name: /^Cocher / })
  for (let left = 8; left > 0; left -= 1) {
    await box.first().click()
    await page.locator(".checklist__count", { hasText: `${9 - left}/8` }).waitFor()
  }
  await page.getByRole("button", { name: "Terminer" }).click()
  await shows(page, "Intervention terminée")
  await page.getByRole("link", { name: says("Retour à la liste") }).click()
  assert.equal(new URL(page.url()).pathname, "/terrain")
  assert.equal(await page.getByRole("region", { name: "Prochaine intervention" }).getByText(label).count(), 0)
  await page.locator("#bloc-terminees summary").click()
  await page.locator("#bloc-terminees").getByRole("link", { name: label }).waitFor()

  // From the list, a gesture that asks for something: a plain page, its error, then the list again.
  const card = page.locator(".visit", { has: page.getByRole("button", { name: /^Démarrer/ }) }).first()
  const other = plain(await card.getByRole("heading").innerText())
  await card.getByRole("link", { name: other }).click()
  await page.getByRole("link", { name: says("Reporter", { exact: true }) }).click()
  await h1(page, "Reporter")
  await page.getByLabel(/^Nouvelle date prévue/).fill("31/02/2026")
  await page.getByRole("button", { name: "Reporter" }).click()
  assert.equal(await page.getByLabel(/^Nouvelle date prévue/).inputValue(), "31/02/2026", "la saisie est gardée")
  await page.getByLabel(/^Nouvelle date prévue/).fill("")
  await page.getByLabel(/^Motif/).fill("Poste introuvable")
  await page.getByRole("button", { name: "Reporter" }).click()
  await h1(page, other)
  await shows(page, "Dernier motif : « Poste introuvable »")
  noFault(page)
})

test("changer le statut d'une opération sans JavaScript : la page du lien", { timeout: 120_000 }, async () => {
  const page = await newPage(browser, server.url, { javaScriptEnabled: false })
  await signIn(page, server.accounts["sophie.martin"])
  await page.goto("/campagnes")
  await page.getByRole("link", { name: /^Opérations de Migration Windows 11/ }).click()
  const row = page.locator("tbody tr[id^=op-]", { has: page.getByText("Planifié", { exact: true }) }).first()
  const id = await row.getAttribute("id")
  await row.getByRole("link", { name: says("modifier le statut") }).click()
  assert.match(new URL(page.url()).pathname, /\/statut$/)
  await accessibleWithoutScript(page)
  await page.getByRole("menuitem", { name: says("En cours", { exact: true }) }).click()
  await shows(page, "Statut mis à jour : En cours")
  assert.match(new URL(page.url()).pathname, /\/operations/)
  assert.match(plain(await page.locator(`#${id}`).innerText()), /En cours/)
  noFault(page)
})
