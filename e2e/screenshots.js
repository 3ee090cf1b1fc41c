// SPDX-License-Identifier: EUPL-1.2
// Makes docs/images from the demonstration: npm run screenshots [nom…]
import { execFileSync } from "node:child_process"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { launch, newPage, says, signIn } from "./support/browser.js"
import { BINARY, startServer } from "./support/server.js"

// `path` is an address, or a function that leads the signed-in page there.
const byName = (name, tab) => async (page) => {
  await page.goto("/campagnes")
  await page.getByRole("link", { name, exact: true }).first().click()
  await page.waitForURL("**/tableau-de-bord")
  if (!tab) return
  await page.getByRole("navigation", { name: "Campagne" }).getByRole("link", { name: tab }).click()
  await page.getByRole("heading", { level: 1, name: tab }).waitFor()
}
// A real file in the campaign being prepared, up to the page that says what will be imported.
const upload = async (page) => {
  const files = await mkdtemp(join(tmpdir(), "opstracker-fichiers-"))
  execFileSync(BINARY, ["demo", "files", files])
  await page.goto("/campagnes")
  await page.getByRole("link", { name: /^Reprendre la création de Remplacement des téléphones/ }).click()
  await page.waitForURL(/\/(imports|assistant)\//)
  await page.goto(page.url().replace(/\/imports\/.*|\/assistant\/.*/, "/assistant/2"))
  await page.getByLabel(/^Déposez un fichier ici/).setInputFiles(join(files, "telephones.csv"))
  await page.getByRole("button", { name: "Envoyer le fichier" }).click()
  await page.getByRole("button", { name: "Vérifier les lignes" }).click()
  await page.getByRole("heading", { level: 1, name: says("Vérification des lignes") }).waitFor()
  await rm(files, { recursive: true })
}
const exporting = async (page) => {
  await byName(WINDOWS, "Opérations")(page)
  await page.getByRole("link", { name: "Exporter" }).click()
  await page.getByRole("heading", { level: 1, name: says("Exporter les opérations") }).waitFor()
}
// What will change and what will not, before it is confirmed.
const bulk = async (page) => {
  await byName(WINDOWS, "Opérations")(page)
  await page.getByRole("button", { name: says("Modifier toutes les opérations") }).click()
  await page.getByRole("link", { name: "Changer le statut" }).click()
  await page.getByRole("combobox", { name: "Transition" }).selectOption({ label: "Démarrer" })
  await page.getByRole("button", { name: says("Voir ce qui va changer") }).click()
  await page.getByRole("button", { name: says("Appliquer à") }).waitFor()
}
// A corrected file: two cells edited by hand meanwhile, and what the page asks.
const reimport = async (page) => {
  await byName(WINDOWS, "Opérations")(page)
  const list = page.url()
  const answer = await page.request.post(`${list.split("?")[0]}/export`, {
    form: { format: "csv", colonnes: "toutes", separateur: ";", marque: "oui" }, headers: { "sec-fetch-site": "same-origin" },
  })
  const [head, ...lines] = (await answer.text()).trimEnd().split("\r\n").map((line) => line.split(";"))
  const place = head.findIndex((name) => name.includes("Localisation")), device = head.findIndex((name) => name.includes("quipement"))
  for (const line of lines.slice(0, 2)) {
    await page.goto(`/recherche?q=${line[0]}`)
    await page.getByRole("row", { name: line[0] }).getByRole("link").first().click()
    await page.getByRole("link", { name: "Modifier", exact: true }).click()
    await page.getByLabel("Localisation").fill("Salle de réunion")
    await page.getByRole("button", { name: "Enregistrer" }).click()
    await page.getByText(says("Intervention modifiée")).first().waitFor()
  }
  lines.forEach((line, n) => {
    if (n < 4) line[place] = `Bureau B${n + 1}12`
    if (n % 9 === 1) line[device] = `PC-N${1000 + n}`
  })
  const folder = await mkdtemp(join(tmpdir(), "opstracker-fichiers-")), file = join(folder, "postes-corriges.csv")
  await writeFile(file, [head, ...lines].map((line) => line.join(";")).join("\r\n"))
  await page.goto(`${list.replace(/\/operations.*/, "")}/imports/nouveau`)
  await page.getByLabel(/^Déposez un fichier ici/).setInputFiles(file)
  await page.getByRole("button", { name: "Envoyer le fichier" }).click()
  await page.getByRole("button", { name: "Vérifier les lignes" }).click()
  await page.getByRole("link", { name: /^Conflits/ }).click()
  await page.getByRole("heading", { level: 1, name: says("Différences") }).waitFor()
  await rm(folder, { recursive: true })
}
const workflow = async (page) => {
  await page.goto("/administration/workflows")
  await page.getByRole("link", { name: "Sur rendez-vous", exact: true }).first().click()
  await page.getByRole("heading", { level: 1, name: says("Sur rendez-vous") }).waitFor()
}
const type = async (page) => {
  await page.goto("/administration/types")
  await page.getByRole("link", { name: "Migration PC Windows 11" }).click()
  await page.getByRole("heading", { level: 1, name: "Migration PC Windows 11" }).waitFor()
}
// The archive of this very instance, with one type changed since: a conflict to settle.
const archive = async (page) => {
  await page.goto("/administration/configuration")
  const answer = await page.request.post("/administration/configuration/export", { headers: { "sec-fetch-site": "same-origin" } })
  const folder = await mkdtemp(join(tmpdir(), "opstracker-fichiers-")), file = join(folder, "configuration.zip")
  await writeFile(file, await answer.body())
  await type(page)
  await page.getByLabel(/^Durée prévue/).fill("75")
  await page.getByRole("button", { name: "Enregistrer" }).first().click()
  await page.getByText("enregistré").first().waitFor()
  await page.goto("/administration/configuration")
  await page.getByLabel(/^Déposez une archive ici/).setInputFiles(file)
  await page.getByRole("button", { name: says("Vérifier l’archive") }).click()
  await page.getByRole("heading", { level: 1, name: says("Aperçu de l’archive") }).waitFor()
  await rm(folder, { recursive: true })
}
// The operations of one value, and the menu that asked for it.
const filtered = async (page) => {
  await byName(WINDOWS, "Opérations")(page)
  await page.locator("#f-champs summary").click()
  await page.getByRole("combobox", { name: "Modèle" }).selectOption({ index: 1 })
  await page.getByRole("button", { name: "Filtrer" }).click()
  await page.getByText(says("1 champ")).waitFor()
  await page.locator("#f-champs summary").click()
}
// An intervention under way, its first phase complete.
const checklist = async (page) => {
  await page.goto("/terrain")
  await page.locator(".visit h3 a").first().click()
  for (let n = 1; n <= 3; n += 1) {
    await page.locator(".step input[type=checkbox]:not(:checked)").first().check()
    await page.locator(".checklist__count strong", { hasText: new RegExp(`^${n}/`) }).waitFor()
  }
}
const template = async (page) => {
  await page.goto("/checklists")
  await page.getByRole("link", { name: "Migration Windows 11" }).first().click()
  await page.getByRole("link", { name: "Reprendre le brouillon" }).click()
  await page.getByText(says("Brouillon de la version 4")).waitFor()
}
// What somebody without an account reads.
const shared = async (page) => {
  await byName(WINDOWS)(page)
  await page.goto(page.url().replace("tableau-de-bord", "parametres/partage"))
  await page.getByLabel(/^Libellé|^Nom/).first().fill("Direction")
  await page.getByRole("button", { name: /^Créer/ }).click()
  await page.goto(await page.locator("input[readonly]").first().inputValue())
}
const help = async (page) => {
  await byName(WINDOWS, "Opérations")(page)
  await page.getByRole("link", { name: "Aide sur cette page" }).click()
  await page.getByRole("dialog").getByText(says("Liste des opérations")).first().waitFor()
}
const group = async (page) => {
  await page.goto("/administration/groupes")
  await page.getByRole("link", { name: "Direction" }).first().click()
  await page.getByRole("heading", { level: 1, name: "Direction" }).waitFor()
}
const WINDOWS = /^Migration Windows 11/
const SHOTS = [
  { name: "portefeuille", path: "/campagnes", account: "sophie.martin", theme: "light", width: 1440 },
  { name: "tableau-de-bord", path: byName(WINDOWS), account: "sophie.martin", theme: "light", width: 1440 },
  { name: "tableau-de-bord-sombre", path: byName(WINDOWS), account: "sophie.martin", theme: "dark", width: 1440 },
  { name: "operations", path: byName(WINDOWS, "Opérations"), account: "sophie.martin", theme: "light", width: 1440 },
  { name: "filtres", path: filtered, account: "sophie.martin", theme: "light", width: 1440, whole: false },
  { name: "import", path: upload, account: "sophie.martin", theme: "light", width: 1440 },
  { name: "export", path: exporting, account: "sophie.martin", theme: "light", width: 1440 },
  { name: "action-groupee", path: bulk, account: "sophie.martin", theme: "light", width: 1440 },
  { name: "differences", path: reimport, account: "sophie.martin", theme: "light", width: 1440 },
  { name: "segments", path: byName(WINDOWS, "Segments"), account: "sophie.martin", theme: "light", width: 1440 },
  { name: "prerequis", path: byName(WINDOWS, "Prérequis"), account: "sophie.martin", theme: "light", width: 1440 },
  { name: "calendrier", path: byName(WINDOWS, "Calendrier"), account: "sophie.martin", theme: "light", width: 1440 },
  { name: "workflow", path: workflow, account: "marc.lefevre", theme: "light", width: 1440 },
  { name: "type", path: type, account: "marc.lefevre", theme: "light", width: 1440 },
  { name: "configuration", path: archive, account: "marc.lefevre", theme: "light", width: 1440 },
  { name: "groupe", path: group, account: "marc.lefevre", theme: "light", width: 1440 },
  { name: "aide", path: help, account: "sophie.martin", theme: "light", width: 1440, whole: false },
  { name: "journal-audit", path: "/administration/audit", account: "marc.lefevre", theme: "light", width: 1440 },
  { name: "double-authentification", path: "/profil/double-authentification", account: "nadia.lambert", theme: "light", width: 1440 },
  { name: "etat", path: "/administration/etat", account: "marc.lefevre", theme: "light", width: 1440 },
  { name: "checklist", path: checklist, account: "karim.benali", theme: "light", width: 1440 },
  { name: "modele-checklist", path: template, account: "sophie.martin", theme: "light", width: 1440 },
  { name: "partage", path: shared, account: "sophie.martin", theme: "light", width: 1440 },
  { name: "mes-interventions", path: "/terrain", account: "karim.benali", theme: "light", width: 1440 },
  { name: "mes-interventions-375", path: "/terrain", account: "karim.benali", theme: "light", width: 375 },
]

const only = process.argv.slice(2)
const folder = new URL("../docs/images/", import.meta.url).pathname
await mkdir(folder, { recursive: true })
const server = await startServer()
const browser = await launch()
try {
  for (const { name, path, account, theme, width, whole = true } of SHOTS.filter((shot) => !only.length || only.includes(shot.name))) {
    const page = await newPage(browser, server.url, { viewport: { width, height: 900 }, colorScheme: theme })
    await signIn(page, server.accounts[account])
    if (typeof path === "string") await page.goto(path)
    else await path(page)
    await page.waitForLoadState("load")
    if (await page.locator(".live").count()) await page.locator(".live", { hasText: "En direct" }).waitFor()
    await page.screenshot({ path: `${folder}${name}.png`, fullPage: whole })
    await page.context().close()
    console.log(`docs/images/${name}.png`)
  }
} finally {
  await browser.close()
  await server.stop()
}
