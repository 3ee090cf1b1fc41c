// SPDX-License-Identifier: EUPL-1.2
// GP-2: Karim does his day, and Sophie's figures move by themselves.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { accessible, becomes, hasFocus, launch, newPage, noFault, noSidewaysScroll, plain, says, signIn, tickAll } from "../support/browser.js"
import { startServer } from "../support/server.js"

const DELAY = 1000   // RG-040: from his click to her screen, in ms

let server, browser, sophie, karim
before(async () => {
  server = await startServer()
  browser = await launch()
  sophie = await newPage(browser, server.url)
  karim = await newPage(browser, server.url)
}, { timeout: 180_000 })
after(async () => {
  await browser?.close()
  await server?.stop()
})

// « 619 73 % »: the number alone.
const done = () => sophie.locator("#chiffre-done .stat__value").evaluate((value) => Number(value.firstChild.textContent.replace(/\s/g, "")))
const indicator = (text) => sophie.locator(".live strong", { hasText: says(text, { exact: true }) }).waitFor()
const gesture = (page, name) => page.getByRole("button", { name: says(name, { exact: true }) })
/** The first card of the list, of any block, that offers this gesture. */
const card = (name) => karim.locator(".visit", { has: karim.getByRole("button", { name: new RegExp(`^${name}`) }) }).first()

/** « Terminer » of the first card whose checklist is not complete: it asks. */
const toFinish = () => karim.locator(".visit").getByRole("link", { name: /^Terminer/ }).first()

/** Presses `button` and gives the time, in ms, from the click to the figure on Sophie's screen. */
async function measure(button) {
  const before = await done()
  await sophie.evaluate(() => {
    window.moved = new Promise((resolve) => {
      const figure = () => document.querySelector("#chiffre-done .stat__value")?.firstChild.textContent.trim()
      const first = figure()
      new MutationObserver((_, observer) => { if (figure() !== first) { observer.disconnect(); resolve(Date.now()) } })
        .observe(document.body, { subtree: true, childList: true, characterData: true })
    })
  })
  await karim.evaluate(() => addEventListener("click", () => { sessionStorage.setItem("clicked", Date.now()) }, { capture: true, once: true }))
  await button.click()
  const at = await Promise.race([sophie.evaluate(() => window.moved), new Promise((resolve) => setTimeout(resolve, 10_000, null).unref())])
  assert.ok(at, "le chiffre « Réalisées » a bougé chez Sophie")
  assert.equal(await done(), before + 1, "d'une unité")
  return at - Number(await karim.evaluate(() => sessionStorage.getItem("clicked")))
}

test("GP-2 : Karim termine, le tableau de bord de Sophie bouge dans la seconde", { timeout: 180_000 }, async (t) => {
  await signIn(sophie, server.accounts["sophie.martin"])
  await sophie.goto("/campagnes")
  await sophie.getByRole("link", { name: /^Migration Windows 11/ }).click()
  await indicator("En direct")
  await accessible(sophie)

  await signIn(karim, server.accounts["karim.benali"])
  assert.equal(new URL(karim.url()).pathname, "/terrain", "un technicien arrive sur ses interventions")
  await accessible(karim)
  const next = karim.locator(".visit--next")
  const label = plain(await next.getByRole("heading").innerText())
  const today = plain(await karim.locator(".page-meta").innerText()).startsWith("6 interventions • 2 réalisées • 4 à faire")
  if (today) assert.equal(label, "PETIT Marc")   // at a week-end Karim's day is the next working day
  assert.match(plain(await next.locator(".visit__flag").innerText()), /^Prochaine/)

  // The information in one click, then the status in one click each.
  await next.getByRole("link", { name: label }).click()
  await karim.getByRole("heading", { level: 1, name: label }).waitFor()
  await accessible(karim)
  await gesture(karim, "Démarrer").click()
  await karim.getByText(says("Statut mis à jour : En cours")).first().waitFor()
  await tickAll(karim)
  await karim.getByText(says("Complète", { exact: true })).waitFor()
  await gesture(karim, "Terminer").waitFor()
  await accessible(karim)
  const first = await measure(gesture(karim, "Terminer"))
  t.diagnostic(`de « Terminer » (fiche) au tableau de bord : ${first} ms`)

  await karim.locator("#fin", { hasText: "Intervention terminée" }).waitFor()
  await karim.waitForURL("**/terrain?suite=1")
  if (today) {
    assert.equal(plain(await next.getByRole("heading").innerText()), "LEBLANC Marie")
    await becomes(() => hasFocus(next), true, "la prochaine intervention a le focus")
    assert.match(plain(await karim.locator(".page-meta").innerText()), /6 interventions • 3 réalisées • 3 à faire/)
  }

  // From the list itself.
  await card("Démarrer").getByRole("button", { name: /^Démarrer/ }).click()
  await karim.getByText(/: En cours$/).first().waitFor()
  await toFinish().click()
  await karim.getByText(says("8 étapes obligatoires ne sont pas cochées. Terminer quand même ?")).waitFor()
  await accessible(karim)
  const second = await measure(gesture(karim, "Terminer quand même"))
  t.diagnostic(`de « Terminer » (liste) au tableau de bord : ${second} ms`)
  assert.ok(second < DELAY, `${second} ms, pour ${DELAY} au plus`)
  await karim.getByText(says("Intervention terminée")).first().waitFor()
  await indicator("En direct")

  // Sophie reads what Karim did, without a reload.
  await sophie.getByRole("region", { name: "Activité" }).getByText("Karim").first().waitFor()
  noFault(sophie)
  noFault(karim)
})

test("« Suspendre les mises à jour » suspend vraiment, « Reprendre » rattrape", { timeout: 60_000 }, async () => {
  await sophie.getByRole("button", { name: "Suspendre les mises à jour" }).click()
  await indicator("Mises à jour suspendues")
  const before = await done()
  await finishOne()
  await new Promise((resolve) => setTimeout(resolve, 2 * DELAY))
  assert.equal(await done(), before, "rien ne bouge tant que c'est suspendu")
  await sophie.getByRole("button", { name: "Reprendre les mises à jour" }).click()
  await indicator("En direct")
  await becomes(done, before + 1, "ce qui a été manqué est rattrapé")
  noFault(sophie)
})

test("quand le flux est coupé, l'indicateur le dit, la page s'actualise toutes les 30 s, puis rien n'est perdu", { timeout: 120_000 }, async () => {
  await sophie.clock.install()
  await sophie.route("**/flux?**", (route) => route.abort())
  await sophie.reload()
  await indicator("Connexion perdue, actualisation toutes les 30 s")
  await accessible(sophie)
  const before = await done()
  await finishOne()
  assert.equal(await done(), before, "sans flux, rien avant 30 s")
  await sophie.clock.fastForward(31_000)
  await becomes(done, before + 1, "l'actualisation de 30 s")
  await indicator("Connexion perdue, actualisation toutes les 30 s")

  await sophie.unroute("**/flux?**")
  await finishOne()
  await indicator("En direct")
  await becomes(done, before + 2, "au retour du flux, ce qui a été manqué est rattrapé")
  noFault(sophie, { except: /ERR_FAILED/ })
})

test("la journée tient dans un téléphone : boutons de 56 px, aucun défilement de côté", { timeout: 60_000 }, async () => {
  await karim.setViewportSize({ width: 375, height: 700 })
  await karim.goto("/terrain")
  await noSidewaysScroll(karim)
  await karim.locator(".visit").getByRole("link").first().click()
  const bar = karim.getByRole("region", { name: "Actions" })
  await bar.waitFor()
  for (const box of await bar.locator(".button").evaluateAll((buttons) => buttons.map((b) => b.getBoundingClientRect().toJSON()))) {
    assert.ok(box.height >= 56, `un bouton de ${box.height} px`)
    assert.ok(box.bottom <= 700, "la barre est à l'écran")
  }
  noFault(karim)
})

/** One more intervention finished from Karim's list: that under way if any, else the first that can start. */
async function finishOne() {
  await karim.goto("/terrain")
  if (!(await toFinish().count())) await card("Démarrer").getByRole("button", { name: /^Démarrer/ }).click()
  await toFinish().click()
  await gesture(karim, "Terminer quand même").click()
  await karim.getByText(says("Intervention terminée")).first().waitFor()
}
