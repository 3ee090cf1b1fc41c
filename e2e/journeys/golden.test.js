// SPDX-License-Identifier: EUPL-1.2
// The desk, whole: a type and its fields, a workflow of one's own, a campaign, a corrected file with
// conflicts settled at the keyboard, 200 operations assigned at once, Excel and back, the undo.
import assert from "node:assert/strict"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { accessible, becomes, launch, newPage, noFault, plain, press, says, signIn, tabTo } from "../support/browser.js"
import { startServer } from "../support/server.js"

let server, browser, marc, sophie, folder
before(async () => {
  server = await startServer()
  browser = await launch()
  marc = await newPage(browser, server.url)
  sophie = await newPage(browser, server.url, { acceptDownloads: true })
  folder = await mkdtemp(join(tmpdir(), "opstracker-golden-"))
  await signIn(marc, server.accounts["marc.lefevre"])
  await signIn(sophie, server.accounts["sophie.martin"])
}, { timeout: 180_000 })
after(async () => {
  await browser?.close()
  await server?.stop()
  if (folder) await rm(folder, { recursive: true, force: true })
})

const heading = (page, name) => page.getByRole("heading", { level: 1, name: says(name, { exact: true }) }).waitFor()
const button = (page, name) => page.getByRole("button", { name: says(name, { exact: true }) })
const shows = (page, text) => page.getByText(says(text)).first().waitFor()
const stat = async (label) => plain(await sophie.locator(".stat", { hasText: label }).locator(".stat__value").innerText())
const result = async (label) => Number(plain(await sophie.locator(".facts div", { hasText: label }).first().locator("dd").innerText()).replace(/\s/g, ""))

/** jj/mm/aaaa, some days from now. */
function day(days) {
  return new Date(Date.now() + days * 86_400_000).toLocaleDateString("fr-FR", { timeZone: "Europe/Paris" })
}

/** 240 tablets, 200 of them in the same building. */
const rows = () => Array.from({ length: 240 }, (_, n) => ({
  Matricule: `T${String(n + 1).padStart(5, "0")}`, "Nom utilisateur": `Agent ${n + 1}`, "Équipement": `TAB-${n + 1}`,
  Localisation: `Bureau ${n % 40}`, Contact: "01 99 00 41 56", "Batterie": n % 3 ? "Bonne" : "Usée", Segment: n < 200 ? "Bâtiment A" : "Bâtiment B",
}))

async function csv(name, lines) {
  const path = join(folder, name), head = Object.keys(lines[0])
  await writeFile(path, "\ufeff" + [head, ...lines.map((line) => head.map((key) => line[key]))].map((cells) => cells.join(";")).join("\r\n") + "\r\n")
  return path
}

async function send(path) {
  await sophie.getByLabel(/^Déposez un fichier ici/).setInputFiles(path)
  await button(sophie, "Envoyer le fichier").click()
  await heading(sophie, "Colonnes du fichier")
  await button(sophie, "Vérifier les lignes").click()
  await heading(sophie, "Vérification des lignes")
}

async function operations() {
  await sophie.goto("/campagnes")
  await sophie.getByRole("link", { name: says("Opérations de Tablettes") }).click()
  await heading(sophie, "Opérations")
}

async function importAgain(path) {
  await operations()
  await sophie.getByRole("link", { name: "Importer", exact: true }).click()
  await send(path)
}

test("un type avec ses champs", { timeout: 180_000 }, async () => {
  await marc.goto("/administration")
  await marc.getByRole("link", { name: /^Types d.opération/ }).click()
  await heading(marc, "Types d’opération")
  await accessible(marc)
  await marc.getByRole("link", { name: "Nouveau type" }).click()
  await heading(marc, "Nouveau type")
  await button(marc, "Créer le type").click()
  await marc.locator(".summary-errors", { hasText: "Ce champ est obligatoire" }).waitFor()
  await accessible(marc)
  await marc.getByLabel("Nom (obligatoire)").fill("Remplacement de tablettes")
  await marc.getByRole("radio", { name: "Téléphone" }).check()
  await marc.getByRole("radio", { name: "Violet" }).check()
  await button(marc, "Créer le type").click()
  await heading(marc, "Remplacement de tablettes")
  await shows(marc, "5 champs")
  await accessible(marc)

  await marc.getByRole("link", { name: "Ajouter un champ" }).click()
  await heading(marc, "Nouveau champ")
  await marc.getByLabel("Nom du champ (obligatoire)").fill("Batterie")
  await marc.getByLabel("Nature (obligatoire)").selectOption({ label: "Liste" })
  await marc.getByLabel("Choix").fill("Bonne\nUsée\nÀ changer")
  await accessible(marc)
  await button(marc, "Ajouter").click()
  await shows(marc, "« Batterie » ajouté.")
  await button(marc, "Monter Batterie").click()
  await shows(marc, "« Batterie » est en position 5 sur 6.")
  await becomes(() => marc.evaluate(() => document.activeElement?.getAttribute("aria-label")), "Monter Batterie", "le focus reste sur le bouton")
  const nature = (label) => marc.locator("tr", { hasText: label }).locator("td").first()
  await nature("Batterie").dragTo(nature("Matricule"))
  await shows(marc, "« Batterie » est en position 1 sur 6.")
  noFault(marc)
})

test("un workflow dupliqué, modifié, publié", { timeout: 180_000 }, async () => {
  await marc.goto("/administration/workflows")
  await heading(marc, "Workflows")
  await accessible(marc)
  await marc.getByRole("link", { name: "Standard", exact: true }).first().click()
  await heading(marc, "Standard")
  await accessible(marc)
  await button(marc, "Dupliquer").click()
  await heading(marc, "Standard (copie)")
  await button(marc, "Ajouter un statut").click()
  await marc.getByLabel("Nom du statut 7").waitFor()
  await becomes(() => marc.evaluate(() => document.activeElement?.id), "s-6-nom", "le nouveau statut a le focus")
  await marc.getByLabel("Nom du statut 7").fill("En réparation")
  await marc.getByLabel(says("Catégorie de « »")).selectOption({ label: "Bloqué" })
  await button(marc, "Publier la version 1").click()
  await marc.locator(".summary-errors", { hasText: "jamais atteint" }).waitFor()
  await shows(marc, "Le statut « En réparation » n’a aucune sortie")
  await accessible(marc)
  await button(marc, "Ajouter une transition").click()
  await marc.getByRole("group", { name: "8. Nouvelle transition" }).waitFor()
  const fresh = marc.locator("fieldset.transition").last()
  await fresh.getByLabel("Nom du bouton").fill("Envoyer en réparation")
  await fresh.getByLabel("Vers").selectOption({ label: "En réparation" })
  await fresh.getByRole("group", { name: "De" }).getByLabel("En cours").check()
  await marc.locator("fieldset.transition", { hasText: "Débloquer" }).getByRole("group", { name: "De" }).getByLabel("En réparation").check()
  await button(marc, "Publier la version 1").click()
  await shows(marc, "Version 1 publiée.")
  await shows(marc, "Envoyer en réparation")
  await accessible(marc)

  await marc.goto("/administration/types")
  await marc.getByRole("link", { name: "Remplacement de tablettes" }).click()
  await marc.getByLabel("Workflow par défaut (obligatoire)").selectOption({ label: "Standard (copie)" })
  await button(marc, "Enregistrer").click()
  await shows(marc, "Type enregistré.")
  noFault(marc)
})

test("une campagne de ce type, depuis un fichier", { timeout: 180_000 }, async () => {
  await sophie.goto("/campagnes/nouvelle")
  await sophie.getByLabel("Nom (obligatoire)").fill("Tablettes")
  await sophie.getByLabel(/^Type d.opération/).selectOption({ label: "Remplacement de tablettes" })
  await sophie.getByLabel("Début (obligatoire)").fill(day(-1))
  await sophie.getByLabel("Fin (obligatoire)").fill(day(30))
  await button(sophie, "Suivant").click()
  await heading(sophie, "Fichier des cibles")
  await send(await csv("tablettes.csv", rows()))
  assert.equal(await stat("Lignes valides"), "240")
  await button(sophie, "Importer 240 lignes").click()
  await shows(sophie, "240 interventions créées")
  await sophie.getByRole("link", { name: says("Continuer : configuration") }).click()
  await heading(sophie, "Configuration")
  await button(sophie, "Créer la campagne").click()
  await heading(sophie, "Tablettes")
  await shows(sophie, "0 / 240 opérations réalisées")
  noFault(sophie)
})

async function open(name) {
  await sophie.goto(`/recherche?q=${name}`)
  await sophie.getByRole("row", { name }).getByRole("link").click()
}

/** Changes « Localisation » of an operation by hand. */
async function editByHand(name, place) {
  await open(name)
  await sophie.getByRole("link", { name: "Modifier", exact: true }).click()
  await sophie.getByLabel("Localisation").fill(place)
  await button(sophie, "Enregistrer").click()
  await shows(sophie, "Intervention modifiée")
}

test("réimporter un fichier corrigé : les conflits se tranchent au clavier", { timeout: 240_000 }, async () => {
  await editByHand("T00001", "Salle de réunion")
  await editByHand("T00002", "Accueil")
  const corrected = rows()
  corrected[0].Localisation = "Bureau 100"
  corrected[1].Localisation = "Bureau 101"
  for (let n = 2; n < 12; n++) corrected[n]["Équipement"] = `NEUVE-${n}`
  corrected.pop()
  const moved = corrected.map(({ Matricule, ...others }) => ({ "LOCALISATION": others.Localisation, "matricule": Matricule, ...others, Localisation: undefined }))
  for (const line of moved) delete line.Localisation
  await importAgain(await csv("corrige.csv", moved))
  assert.equal(await stat("Conflits"), "2")
  assert.equal(await stat("Modifications"), "10")
  assert.equal(await stat("Absentes du fichier"), "1")
  await accessible(sophie)

  // From here to the button « Importer », the keyboard alone.
  await tabTo(sophie, "link", /^Conflits/)
  await press(sophie, "Enter")
  await heading(sophie, "Différences")
  await shows(sophie, "2 conflits restent sans choix")
  await shows(sophie, "Salle de réunion")
  await accessible(sophie)
  await tabTo(sophie, "button", says("Prendre le fichier : Localisation de T00001"))
  await press(sophie, "Enter")
  await shows(sophie, "1 conflit reste sans choix")
  await becomes(() => sophie.evaluate(() => document.activeElement?.id), "c-2-" + await localisation() + "-f", "le focus reste sur le choix")
  await tabTo(sophie, "button", says("Garder la mienne : Localisation de T00002"))
  await press(sophie, "Enter")
  await shows(sophie, "Tous les conflits sont tranchés.")
  await tabTo(sophie, "link", /^Absentes du fichier/)
  await press(sophie, "Enter")
  await shows(sophie, "T00240")
  await accessible(sophie)
  await tabTo(sophie, "button", says("Annuler ces opérations"))
  await press(sophie, "Enter")
  await shows(sophie, "1 opération sera annulée")
  await tabTo(sophie, "button", /^Importer /)
  await press(sophie, "Enter")
  await shows(sophie, "Comptes")
  assert.equal(await result("Modifiées"), 11)
  await shows(sophie, "1 absente annulée")
  await accessible(sophie)
  await open("T00002")
  await shows(sophie, "Accueil")
  noFault(sophie)
})

/** The number of the field, from the id of the button. */
async function localisation() {
  const id = await sophie.getByRole("button", { name: says("Prendre le fichier : Localisation de T00001") }).getAttribute("id")
  return id.split("-")[2]
}

test("assigner 200 opérations, exporter en Excel, réimporter sans un changement, annuler", { timeout: 240_000 }, async () => {
  await operations()
  await sophie.getByRole("combobox", { name: "Segment" }).selectOption({ label: "Bâtiment A" })
  await button(sophie, "Filtrer").click()
  await shows(sophie, "200 résultats")
  await sophie.getByRole("button", { name: says("Modifier les") }).click()
  await heading(sophie, "Actions groupées")
  await sophie.getByRole("combobox", { name: "Technicien" }).selectOption({ label: "Karim BENALI" })
  await button(sophie, "Voir ce qui va changer").click()
  await heading(sophie, "Technicien : Karim BENALI")
  await sophie.getByRole("button", { name: says("Appliquer à") }).click()
  await shows(sophie, "Résultat")
  assert.equal(await result("Modifiées"), 200)
  const lot = sophie.url()

  await operations()
  await sophie.getByRole("link", { name: "Exporter" }).click()
  await heading(sophie, "Exporter les opérations")
  await sophie.getByLabel("Toutes", { exact: false }).check()
  await sophie.getByRole("radio", { name: /^Excel/ }).check()
  const download = sophie.waitForEvent("download")
  await button(sophie, "Exporter").click()
  const path = join(folder, "export.xlsx")
  await (await download).saveAs(path)
  await importAgain(path)
  assert.equal(await stat("Erreurs"), "0")
  await sophie.getByRole("button", { name: /^Importer / }).click()
  await shows(sophie, "Comptes")
  assert.equal(await result("Créées"), 0)
  assert.equal(await result("Modifiées"), 0)
  assert.equal(await result("Inchangées"), 240)

  await sophie.goto(lot)
  await button(sophie, "Annuler cette action").click()
  await becomes(() => result("Rétablies"), 200, "les 200 sont rétablies")
  await accessible(sophie)
  noFault(sophie)
})
