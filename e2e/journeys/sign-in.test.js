// SPDX-License-Identifier: EUPL-1.2
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { accessible, axe, launch, newPage, noFault, plain, press, signIn, tabTo, tabToElement } from "../support/browser.js"
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

test("la page de connexion est accessible, dans les deux thèmes et aux deux largeurs", async () => {
  const page = await newPage(browser, server.url)
  await page.goto("/connexion")
  assert.equal(await page.locator("h1").count(), 1)
  assert.equal(await page.locator("html").getAttribute("lang"), "fr")
  await page.getByRole("link", { name: "Mot de passe oublié" }).waitFor()
  await accessible(page)
  noFault(page)
})

test("Sophie se connecte au clavier seul, puis se déconnecte", async () => {
  const page = await newPage(browser, server.url)
  const sophie = server.accounts["sophie.martin"]
  assert.ok(sophie, "le compte de Sophie est annoncé au démarrage")
  await page.goto("/connexion")
  await tabTo(page, "textbox", /^E-mail/)
  await page.keyboard.insertText(sophie.email)
  await tabTo(page, "textbox", /^Mot de passe/)
  await page.keyboard.insertText(sophie.password)
  await press(page, "Enter")
  await page.waitForURL((url) => url.pathname !== "/connexion")
  await accessible(page)
  await tabToElement(page, page.locator("#compte summary"), "le menu du compte")
  await press(page, "Enter")
  await tabTo(page, "button", "Déconnexion")
  await press(page, "Enter")
  await page.getByText("Vous êtes déconnecté").waitFor()
  noFault(page)
})

test("un mauvais mot de passe garde l'adresse et mène à l'erreur", async () => {
  const page = await newPage(browser, server.url)
  await page.goto("/connexion")
  await page.getByLabel("E-mail").fill("sophie.martin@demo.example")
  await page.getByLabel("Mot de passe", { exact: true }).fill("ce n'est pas le bon mot de passe")
  await page.getByRole("button", { name: "Se connecter" }).click()
  const summary = page.locator("#erreurs", { hasText: "Identifiants incorrects" })
  await summary.waitFor()
  assert.ok(await summary.evaluate((element) => element === document.activeElement || element.contains(document.activeElement)))
  assert.equal(await page.getByLabel("E-mail").inputValue(), "sophie.martin@demo.example")
  assert.equal(await page.getByLabel("Mot de passe", { exact: true }).inputValue(), "")
  await axe(page)
  noFault(page)
})

test("la connexion marche sans JavaScript", async () => {
  const page = await newPage(browser, server.url, { javaScriptEnabled: false })
  await signIn(page, server.accounts["karim.benali"])
  assert.match(plain(await page.title()), /OpsTracker$/)
})
