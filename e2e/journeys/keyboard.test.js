// SPDX-License-Identifier: EUPL-1.2
// Both golden paths by keyboard alone: no mouse, no click(), no focus().
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { accessible, axe, becomes, hasFocus, launch, newPage, noFault, plain, press, says, tabTo } from "../support/browser.js"
import { INVENTORY } from "../support/files.js"
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
  await accessible(page)
}
const shows = (page, text) => page.getByText(says(text)).first().waitFor()
/** Reaches it, then presses the key that activates it. */
async function activate(page, role, name, key = "Enter") {
  await tabTo(page, role, name)
  await press(page, key)
}
async function write(page, label, text) {
  await tabTo(page, "textbox", label)
  await page.keyboard.type(text)
}
/** A closed list takes the first option that begins with what is typed, or the first of all with Home. */
async function pick(page, label, typed, chosen) {
  await tabTo(page, "combobox", label)
  if (typed === "Home") await press(page, "Home")
  else await page.keyboard.type(typed)
  const text = await page.evaluate(() => document.activeElement.selectedOptions?.[0].text ?? document.activeElement.outerHTML)
  assert.equal(plain(text), chosen)
}
async function signIn(page, { email, password }) {
  await page.goto("/connexion")
  await write(page, /^E-mail/, email)
  await write(page, /^Mot de passe/, password)
  await activate(page, "button", "Se connecter")
  await page.waitForURL((url) => url.pathname !== "/connexion")
}
const day = (days) => new Date(Date.now() + days * 86_400_000).toLocaleDateString("fr-FR", { timeZone: "Europe/Paris" })

test("GP-1 au clavier", { timeout: 240_000 }, async () => {
  const page = await newPage(browser, server.url)
  await signIn(page, server.accounts["sophie.martin"])
  await activate(page, "link", "Campagnes")
  await h1(page, "Campagnes")
  await activate(page, "link", "Nouvelle campagne")
  await h1(page, "Nouvelle campagne")
  await write(page, /^Nom /, "Inventaire au clavier")
  await pick(page, /^Type d.opération/, "Migration", "Migration PC Windows 11")
  await write(page, /^Début/, day(-1))
  await write(page, /^Fin/, day(30))
  await activate(page, "button", "Suivant", "Space")

  await h1(page, "Fichier des cibles")
  await tabTo(page, "button", /^Déposez un fichier ici/)
  const chooser = page.waitForEvent("filechooser")
  await press(page, "Space")
  await (await chooser).setFiles(INVENTORY)
  await shows(page, "inventaire")
  await activate(page, "button", "Envoyer le fichier")

  await h1(page, "Colonnes du fichier")
  await pick(page, "ID actif", "Matricule", "Matricule — identifiant (obligatoire)")
  await pick(page, "Marque / Modèle", "Home", "— Ignorer —")
  await pick(page, "Utilisateur", "Nom", "Nom utilisateur — libellé")
  await pick(page, "Localisation", "Segment", "Segment")
  await pick(page, "Date d'achat", "Home", "— Ignorer —")
  await activate(page, "button", "Vérifier les lignes")
  await h1(page, "Vérification des lignes")
  await activate(page, "button", "Importer 10 lignes")
  await shows(page, "10 interventions créées")
  await accessible(page)
  await activate(page, "link", says("Continuer : configuration"))
  await h1(page, "Configuration")
  await tabTo(page, "radio", /^Restreinte|^Publique/)
  await press(page, "ArrowDown")
  await activate(page, "button", "Créer la campagne")
  await h1(page, "Inventaire au clavier")
  await shows(page, "0 / 10 opérations réalisées")
  await accessible(page)
  noFault(page)
})

test("GP-2 au clavier", { timeout: 180_000 }, async () => {
  const page = await newPage(browser, server.url)
  await signIn(page, server.accounts["karim.benali"])
  await accessible(page)
  const next = page.locator(".visit--next")
  const label = plain(await next.getByRole("heading").innerText())
  await activate(page, "link", label)
  await h1(page, label)
  await activate(page, "button", "Démarrer")
  await shows(page, "Statut mis à jour : En cours")
  await accessible(page)
  for (const [n, step] of ["Sauvegarder le profil", "Vérifier l’espace", "Inventorier", "Lancer le script", "Vérifier le démarrage", "Restaurer", "Contrôler", "Faire signer"].entries()) {
    await tabTo(page, "checkbox", new RegExp(`^${step}`))
    await press(page, "Space")
    await page.locator(".checklist__count", { hasText: `${n + 1}/8` }).waitFor()
  }
  await accessible(page)
  await activate(page, "button", "Terminer", "Space")
  await shows(page, "Intervention terminée")
  await page.waitForURL("**/terrain?suite=1")
  if (await next.count()) await becomes(() => hasFocus(next), true, "la prochaine intervention a le focus")
  noFault(page)
})

test("« Rester sur la fiche » au clavier", { timeout: 120_000 }, async () => {
  const page = await newPage(browser, server.url)
  await signIn(page, server.accounts["karim.benali"])
  await page.locator(".visit").first().waitFor()
  await activate(page, "button", /^Démarrer/)
  await shows(page, ": En cours")
  const label = plain(await page.locator(".visit", { has: page.getByRole("link", { name: /^Terminer/ }) }).first().getByRole("heading").innerText())
  await activate(page, "link", label)
  await h1(page, label)
  await activate(page, "link", "Terminer")
  await activate(page, "button", says("Terminer quand même"))
  await shows(page, "Intervention terminée")
  await activate(page, "link", says("Rester sur la fiche"))
  await new Promise((resolve) => setTimeout(resolve, 2000))
  await h1(page, label)
  noFault(page)
})

test("le menu d'un statut : les flèches ne valident pas, Échap rend le focus, Entrée valide", { timeout: 180_000 }, async () => {
  const page = await newPage(browser, server.url)
  await signIn(page, server.accounts["sophie.martin"])
  await activate(page, "link", "Campagnes")
  await h1(page, "Campagnes")
  await activate(page, "link", /^Opérations de Migration Windows 11/)
  await h1(page, "Opérations")
  const row = page.locator("tbody tr[id^=op-]", { has: page.getByText("Planifié", { exact: true }) }).first()
  const label = plain(await row.getByRole("rowheader").locator("a").innerText())
  const button = page.locator(`#${await row.locator("[id^=s-]").getAttribute("id")}`)
  const status = async () => plain(await button.innerText())
  await tabTo(page, "link", says(`modifier le statut de ${label}`))
  await becomes(() => hasFocus(button), true, "le bouton de la ligne est atteint")

  const menu = page.getByRole("menu", { name: says(`Changer le statut de ${label}`) })
  await press(page, "Enter")
  await menu.waitFor()
  await axe(page)
  assert.equal(await button.getAttribute("aria-expanded"), "true")
  const items = menu.getByRole("menuitem")
  await becomes(() => hasFocus(items.first()), true, "le premier choix a le focus")
  await press(page, "ArrowDown")
  assert.ok(await hasFocus(items.nth(1)))
  await press(page, "End")
  assert.ok(await hasFocus(items.last()))
  await press(page, "Home")
  assert.ok(await hasFocus(items.first()))
  assert.ok(await menu.isVisible(), "les flèches ne valident rien")
  await press(page, "Escape")
  await menu.waitFor({ state: "detached" })
  assert.ok(await hasFocus(button), "Échap rend le focus au bouton")
  assert.equal(await button.getAttribute("aria-expanded"), "false")
  assert.match(await status(), /^Planifié/)
  await page.reload()
  assert.match(await status(), /^Planifié/, "rien n'a été enregistré")

  await tabTo(page, "link", says(`modifier le statut de ${label}`))
  await press(page, "Enter")
  await menu.waitFor()
  await page.keyboard.type("en")
  await becomes(() => hasFocus(items.filter({ hasText: "En cours" })), true, "les premières lettres mènent au choix")
  await press(page, "Enter")
  await shows(page, "Statut mis à jour : En cours")
  await becomes(async () => (await status()).startsWith("En cours"), true, "la ligne est à jour")
  await becomes(() => hasFocus(button), true, "le focus revient au bouton de la ligne")
  await accessible(page)
  noFault(page)
})
