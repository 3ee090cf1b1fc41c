// SPDX-License-Identifier: EUPL-1.2
// Makes docs/images from the demonstration: npm run screenshots [nom…]
import { execFileSync } from "node:child_process"
import { mkdir, mkdtemp, rm } from "node:fs/promises"
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
const WINDOWS = /^Migration Windows 11/
const SHOTS = [
  { name: "portefeuille", path: "/campagnes", account: "sophie.martin", theme: "light", width: 1440 },
  { name: "tableau-de-bord", path: byName(WINDOWS), account: "sophie.martin", theme: "light", width: 1440 },
  { name: "tableau-de-bord-sombre", path: byName(WINDOWS), account: "sophie.martin", theme: "dark", width: 1440 },
  { name: "operations", path: byName(WINDOWS, "Opérations"), account: "sophie.martin", theme: "light", width: 1440 },
  { name: "import", path: upload, account: "sophie.martin", theme: "light", width: 1440 },
  { name: "export", path: exporting, account: "sophie.martin", theme: "light", width: 1440 },
  { name: "action-groupee", path: bulk, account: "sophie.martin", theme: "light", width: 1440 },
  { name: "mes-interventions", path: "/terrain", account: "karim.benali", theme: "light", width: 1440 },
  { name: "mes-interventions-375", path: "/terrain", account: "karim.benali", theme: "light", width: 375 },
]

const only = process.argv.slice(2)
const folder = new URL("../docs/images/", import.meta.url).pathname
await mkdir(folder, { recursive: true })
const server = await startServer()
const browser = await launch()
try {
  for (const { name, path, account, theme, width } of SHOTS.filter((shot) => !only.length || only.includes(shot.name))) {
    const page = await newPage(browser, server.url, { viewport: { width, height: 900 }, colorScheme: theme })
    await signIn(page, server.accounts[account])
    if (typeof path === "string") await page.goto(path)
    else await path(page)
    await page.waitForLoadState("load")
    if (await page.locator(".live").count()) await page.locator(".live", { hasText: "En direct" }).waitFor()
    await page.screenshot({ path: `${folder}${name}.png`, fullPage: true })
    await page.context().close()
    console.log(`docs/images/${name}.png`)
  }
} finally {
  await browser.close()
  await server.stop()
}
