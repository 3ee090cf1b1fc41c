// SPDX-License-Identifier: EUPL-1.2
// A checklist from its template to the field: written with buttons, published, given to the operations
// not started, ticked while somebody else looks, never altered by what follows.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { accessible, launch, newPage, noFault, noSidewaysScroll, says, signIn } from "../support/browser.js"
import { startServer } from "../support/server.js"

let server, browser, sophie, karim
before(async () => {
  server = await startServer()
  browser = await launch()
  sophie = await newPage(browser, server.url)
  karim = await newPage(browser, server.url, { viewport: { width: 375, height: 800 } })
  await signIn(sophie, server.accounts["sophie.martin"])
  await signIn(karim, server.accounts["karim.benali"])
}, { timeout: 180_000 })
after(async () => {
  await browser?.close()
  await server?.stop()
})

const heading = (page, name) => page.getByRole("heading", { level: 1, name: says(name, { exact: true }) }).waitFor()
const button = (page, name) => page.getByRole("button", { name: says(name, { exact: true }) })
const box = (name) => sophie.getByRole("textbox", { name, exact: true })
const shows = (page, text) => page.getByText(says(text)).first().waitFor()

test("écrire un modèle, le publier, le donner aux opérations non commencées", { timeout: 180_000 }, async () => {
  await sophie.getByRole("link", { name: says("Modèles de checklists") }).click()
  await heading(sophie, "Modèles de checklists")
  await accessible(sophie)
  await sophie.getByRole("link", { name: says("Nouveau modèle") }).click()
  await sophie.getByLabel(/^Nom/).fill("Poste en deux temps")
  await button(sophie, "Créer le brouillon").click()
  await shows(sophie, "Brouillon de la version 1")
  // Nothing typed yet: it cannot be published, and says where.
  await button(sophie, "Publier la version 1").click()
  await shows(sophie, "Ce brouillon ne peut pas être publié")
  await accessible(sophie)
  await box("Phase 1").fill("Avant")
  await box("Étape 1").fill("Appeler")
  await sophie.getByRole("button", { name: /^Ajouter une étape/ }).click()
  await box("Étape 2").fill("Sauvegarder")
  await sophie.getByRole("button", { name: /^Monter l’étape 2/ }).click()
  await shows(sophie, "Étape « Sauvegarder » en position 1 sur 2.")
  assert.equal(await box("Étape 1").inputValue(), "Sauvegarder")
  await button(sophie, "Ajouter une phase").click()
  await box("Phase 2").fill("Après")
  await box("Étape 1").nth(1).fill("Faire signer")
  await sophie.getByLabel(/^Verrouiller tant que/).check()
  await button(sophie, "Publier la version 1").click()
  await shows(sophie, "Version 1 publiée")
  await accessible(sophie)

  await sophie.goto("/campagnes")
  await sophie.getByRole("link", { name: /^Migration Windows 11/ }).first().click()
  await sophie.waitForURL("**/tableau-de-bord")
  await sophie.goto(sophie.url().replace("tableau-de-bord", "parametres/checklist"))
  await sophie.getByLabel("Les prochaines opérations reçoivent").selectOption({ label: "Poste en deux temps (v1, 3 étapes)" })
  await sophie.getByLabel(/^Appliquer aussi aux opérations non commencées/).check()
  await accessible(sophie)
  await button(sophie, "Enregistrer").click()
  await shows(sophie, "opérations non commencées l’ont reçue")
  noFault(sophie)
})

test("cocher sur un téléphone : la phase suivante s’ouvre, le modèle peut changer", { timeout: 180_000 }, async () => {
  await karim.goto("/terrain")
  await karim.locator(".visit", { hasText: "0/3 étapes" }).first().getByRole("link").first().click()
  await shows(karim, "Verrouillée : terminez « Avant »")
  await noSidewaysScroll(karim)
  await accessible(karim)
  await karim.getByRole("checkbox", { name: "Sauvegarder" }).check()
  await shows(karim, "1/3 étapes")
  await karim.getByRole("checkbox", { name: "Appeler" }).check()
  await karim.getByRole("checkbox", { name: "Faire signer" }).waitFor()
  await accessible(karim)
  const address = karim.url()

  // The template loses a step and gains a version: what is begun keeps its own.
  await sophie.goto("/checklists")
  await sophie.getByRole("link", { name: "Poste en deux temps" }).click()
  await button(sophie, "Modifier").click()
  await shows(sophie, "Brouillon de la version 2")
  await sophie.getByRole("button", { name: /^Retirer l’étape 2, Appeler/ }).click()
  await box("Étape 2").waitFor({ state: "detached" })
  await button(sophie, "Publier la version 2").click()
  await shows(sophie, "Étape « Appeler » retirée")
  await karim.goto(address)
  await shows(karim, "Poste en deux temps, version 1")
  await karim.getByRole("checkbox", { name: "Faire signer" }).check()
  await shows(karim, "3/3 étapes")
  await karim.locator(".phase > summary", { hasText: "Avant" }).click()
  await karim.getByRole("checkbox", { name: "Appeler" }).uncheck()
  await shows(karim, "Verrouillée : terminez « Avant »")
  noFault(karim)
  noFault(sophie)
})
