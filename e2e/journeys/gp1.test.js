// SPDX-License-Identifier: EUPL-1.2
// GP-1: Sophie creates a campaign from a file, in four steps; and what goes wrong on the way.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { accessible, axe, hasFocus, launch, newPage, noFault, plain, says, signIn } from "../support/browser.js"
import { INVENTORY, PDF } from "../support/files.js"
import { startServer } from "../support/server.js"

// « Date d'achat » looks like a planned date, « Marque / Modèle » like a list that the type brings: a person corrects them.
const COLUMNS = {
  "ID actif": "Matricule — identifiant (obligatoire)",
  "Utilisateur": "Nom utilisateur — libellé",
  "Localisation": "Segment",
  "Date d'achat": "Créer un champ (date)",
  "Marque / Modèle": "Créer un champ (texte court)",
}

let server, browser, page
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

/** Step 1, up to « Suivant ». */
async function begin(name) {
  await page.goto("/campagnes")
  await page.getByRole("link", { name: "Nouvelle campagne" }).click()
  await heading("Nouvelle campagne")
  await page.getByLabel("Nom (obligatoire)").fill(name)
  await page.getByLabel(/^Type d.opération/).selectOption({ label: "Migration PC Windows 11" })
  await page.getByLabel("Début (obligatoire)").fill(day(-1))
  await page.getByLabel("Fin (obligatoire)").fill(day(30))
}

async function send(file) {
  await page.getByLabel(/^Déposez un fichier ici/).setInputFiles(file)
  await button("Envoyer le fichier").click()
}

const choose = (column, target) => page.getByRole("combobox", { name: column, exact: true }).selectOption({ label: target })
const stat = async (label) => plain(await page.locator(".stat", { hasText: label }).locator(".stat__value").innerText())

/** jj/mm/aaaa, some days from now. */
function day(days) {
  return new Date(Date.now() + days * 86_400_000).toLocaleDateString("fr-FR", { timeZone: "Europe/Paris" })
}

test("GP-1 : du fichier au tableau de bord en direct", { timeout: 150_000 }, async () => {
  await page.goto("/campagnes")
  await accessible(page)
  await begin("Inventaire du siège")
  await accessible(page)
  await button("Suivant").click()

  await heading("Fichier des cibles")
  await accessible(page)
  await send(INVENTORY)

  await heading("Colonnes du fichier")
  await page.getByText(says("13 lignes détectées, 6 lignes vides ignorées")).waitFor()
  await accessible(page)
  for (const [column, target] of Object.entries(COLUMNS)) await choose(column, target)
  await button("Vérifier les lignes").click()

  await heading("Vérification des lignes")
  assert.equal(await stat("Lignes valides"), "10")
  assert.equal(await stat("Erreurs"), "3")
  assert.equal(await stat("Lignes lues"), "13")
  await accessible(page)
  await button("Importer 10 lignes").click()
  await page.getByText(says("10 interventions créées")).waitFor()
  await accessible(page)
  await page.getByRole("link", { name: says("Continuer : configuration") }).click()

  await heading("Configuration")
  const made = page.getByRole("complementary", { name: "Ce qui sera créé" })
  assert.match(plain(await made.innerText()), /Opérations 10 Segments 7 /)
  await accessible(page)
  await button("Créer la campagne").click()

  await heading("Inventaire du siège")
  await page.getByText(says("Campagne créée avec 10 opérations")).first().waitFor()
  await page.getByText(says("0 / 10 opérations réalisées", { exact: true })).waitFor()
  await page.locator(".live", { hasText: "En direct" }).waitFor()
  assert.equal(await page.getByRole("table", { name: "Progression par segment" }).locator("tbody tr").count(), 7)
  await accessible(page)

  // Live: the figures follow what happens in another window.
  const figures = page.getByRole("region", { name: /^Avancement/ })
  const before = plain(await figures.innerText())
  const other = await page.context().newPage()
  await other.goto(new URL("operations", page.url()).href)
  assert.match(plain(await other.locator(".card__foot").last().innerText()), /^10 interventions • 10 à planifier$/)
  await other.getByRole("link", { name: says("modifier le statut de Direction") }).click()
  await other.getByRole("menuitem").first().click()
  await other.getByText(says("Statut mis à jour")).first().waitFor()
  await other.close()
  await page.getByRole("region", { name: "Activité" }).getByText("Direction").first().waitFor()
  assert.notEqual(plain(await figures.innerText()), before, "les chiffres ont bougé sans rien faire")
  noFault(page)
})

test("les erreurs se corrigent, et la création se reprend", { timeout: 120_000 }, async () => {
  await begin("")
  await button("Suivant").click()
  const summary = page.locator(".summary-errors")
  await summary.waitFor()
  assert.ok(await hasFocus(summary), "le résumé des erreurs a le focus")
  assert.equal(await page.getByLabel("Fin (obligatoire)").inputValue(), day(30))
  await axe(page)

  await page.getByLabel("Nom (obligatoire)").fill("Inventaire à reprendre")
  await button("Suivant").click()
  await heading("Fichier des cibles")
  await button("Envoyer le fichier").click()
  await summary.waitFor()
  assert.ok(await hasFocus(summary), "sans fichier, le résumé a le focus")

  await send(PDF)
  await page.getByText(says("Format non supporté. Utilisez un fichier .csv, .xlsx ou .ods")).first().waitFor()
  await accessible(page)
  await page.goto(page.url().replace(/imports.*/, "assistant/2"))
  await send(INVENTORY)
  await heading("Colonnes du fichier")
  await button("Vérifier les lignes").click()
  await summary.getByText(says("La colonne identifiant est obligatoire")).waitFor()
  assert.ok(await hasFocus(summary), "sans identifiant, le résumé a le focus")
  await accessible(page)

  // Leave, find it again, finish.
  await page.getByRole("link", { name: "Enregistrer et quitter" }).click()
  await heading("Campagnes")
  await page.getByRole("link", { name: "Reprendre la création de Inventaire à reprendre" }).click()
  await heading("Colonnes du fichier")
  for (const [column, target] of Object.entries(COLUMNS)) await choose(column, target)
  await button("Vérifier les lignes").click()
  await heading("Vérification des lignes")
  await button("Importer 10 lignes").click()
  await page.getByRole("link", { name: says("Continuer : configuration") }).click()
  await button("Enregistrer et quitter").click()
  await heading("Campagnes")
  await page.getByRole("link", { name: "Reprendre la création de Inventaire à reprendre" }).click()
  await heading("Configuration")
  await button("Créer la campagne").click()
  await page.getByText(says("0 / 10 opérations réalisées", { exact: true })).waitFor()
  noFault(page)
})
