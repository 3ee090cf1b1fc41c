// SPDX-License-Identifier: EUPL-1.2
// A browser of the machine and what every journey asks of it.
import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import AxeBuilder from "@axe-core/playwright"
import { chromium } from "playwright-core"

const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
]
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
export const THEMES = ["light", "dark"]
export const WIDTHS = [1440, 375]

export function launch() {
  const executablePath = PLACES.find((place) => place && existsSync(place))
  if (!executablePath) throw new Error("aucun Chromium : apt-get install chromium, ou CHROMIUM=/chemin/du/navigateur")
  // In a bare locale Chromium cannot write an accented file name, and calls it « download ».
  const env = { ...process.env, LC_ALL: "C.UTF-8" }
  return chromium.launch({ executablePath, args: FLAGS, env })
}

/** A page of a new person: its own cookies, French, and the watch on foreign hosts and errors already on. */
export async function newPage(browser, baseURL, options = {}) {
  const context = await browser.newContext({
    baseURL, locale: "fr-FR", timezoneId: "Europe/Paris", viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", ...options,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  noExternal(page, baseURL)
  noErrors(page)
  return page
}

export async function signIn(page, account) {
  await page.goto("/connexion")
  await page.getByLabel("E-mail").fill(account.email)
  await page.getByLabel("Mot de passe", { exact: true }).fill(account.password)
  await page.getByRole("button", { name: "Se connecter" }).click()
  await page.waitForURL((url) => url.pathname !== "/connexion")
}

/** axe in the two themes and at the two widths. */
export async function accessible(page) {
  await everyTheme(page, () => axe(page))
}

/** The same for a page without scripts, where axe cannot run: what it shows is laid in a page that has them. */
export async function accessibleWithoutScript(page) {
  const context = await page.context().browser().newContext({ locale: "fr-FR", viewport: page.viewportSize(), reducedMotion: "reduce" })
  const twin = await context.newPage()
  const body = (await page.content()).replace(/<script\b.*?<\/script>/gs, "")
  await twin.route(page.url(), (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body }))
  await twin.goto(page.url())
  assert.equal(await twin.title(), await page.title())
  await accessible(twin)
  await context.close()
}

/** Fails with the list of what axe found: rule, help, and the elements. */
export async function axe(page, turn = 0) {
  await page.locator("html:not([aria-busy])").waitFor({ state: "attached" })
  const options = { runOnly: { type: "tag", values: TAGS }, rules: EXPERIMENTAL }
  // No frame anywhere: the legacy mode spares a blank page at each run.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).options({ ...options, resultTypes: ["violations"] }).analyze()
  // Turbo marks the page that it replaces: read halfway, it is read again.
  const halfway = violations.some(({ nodes }) => nodes.some(({ html }) => /^<html[^>]* aria-busy/.test(html)))
  if (halfway && turn < 10) return axe(page, turn + 1)
  const lines = violations.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((node) => `    ${node.target.join(" ")}  ${node.html.slice(0, 160)}`).join("\n")}`)
  assert.equal(lines.length, 0, `axe, ${page.url()} :\n${lines.join("\n")}`)
}

// Off by default in axe, and useful for the RGAA: reading order of what is hidden, labels that match, tables without heads.
const EXPERIMENTAL = Object.fromEntries(
  ["css-orientation-lock", "label-content-name-mismatch", "p-as-heading", "table-fake-caption", "td-has-header"].map((id) => [id, { enabled: true }]),
)

/** Calls `check` in the two themes and at the two widths, then puts the page back. */
export async function everyTheme(page, check) {
  const viewport = page.viewportSize()
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 })
    for (const theme of THEMES) {
      await page.emulateMedia({ colorScheme: theme })
      await check()
    }
    await noSidewaysScroll(page)
  }
  await page.emulateMedia({ colorScheme: null })
  if (viewport) await page.setViewportSize(viewport)
}

/** No page scrolls sideways. */
export async function noSidewaysScroll(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth])
  assert.ok(content <= window, `${page.url()} déborde : ${content} px pour ${window}`)
}

const watched = new WeakMap()

function faults(page) {
  if (!watched.has(page)) watched.set(page, [])
  return watched.get(page)
}

/** From now on any request to another host is a fault (principle 7). */
export function noExternal(page, baseURL) {
  const home = new URL(baseURL).host
  page.on("request", (request) => {
    const url = new URL(request.url())
    if (/^(https?|wss?):$/.test(url.protocol) && url.host !== home) faults(page).push(`appel à un autre hôte : ${url}`)
  })
}

/** From now on a script error, a refusal of the content security policy or anything the console calls an error is a fault. */
export function noErrors(page) {
  page.on("pageerror", (error) => faults(page).push(`erreur de script : ${error.message}`))
  page.on("console", (message) => {
    if (message.type() === "error" && !EXPECTED.test(message.text())) faults(page).push(`console : ${message.text()} (${message.location().url})`)
  })
  page.on("response", (response) => {
    if (response.status() >= 500) faults(page).push(`${response.status()} ${response.url()}`)
  })
}

// What Chromium writes of a form that the server sends back with its errors.
const EXPECTED = /^Failed to load resource: the server responded with a status of 422/

/** To call at the end of a journey. `except`: the errors that it caused on purpose. */
export function noFault(page, { except } = {}) {
  assert.deepEqual(faults(page).filter((fault) => !except?.test(fault)), [])
}

/** Presses keys one after the other: press(page, "Tab", "Tab", "Enter"). */
export async function press(page, ...keys) {
  for (const key of keys) await page.keyboard.press(key)
}

/** Tab until the focus is on this role and name, as a person would; fails after a whole turn of the page. */
export function tabTo(page, role, name) {
  return tabToElement(page, page.getByRole(role, typeof name === "string" ? { name, exact: true } : { name }), `${role} « ${name} »`)
}

/** The same for what has no role of its own: the heading of a fold. */
export async function tabToElement(page, wanted, what, { limit = 400 } = {}) {
  await wanted.first().waitFor()
  for (let i = 0; i < limit; i++) {
    await page.keyboard.press("Tab")
    if (await wanted.evaluateAll((elements) => elements.includes(document.activeElement))) {
      assert.ok(await focusShows(page), `le focus ne se voit pas sur ${what}, ${page.url()}`)
      return
    }
  }
  assert.fail(`Tab n'atteint pas ${what}, ${page.url()}`)
}

/** The ring of the focus is drawn, on the element or on what stands for it (the zone of a file, the label of a box). */
function focusShows(page) {
  return page.evaluate(() => {
    for (let element = document.activeElement, up = 0; element && up < 3; element = element.parentElement, up++) {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element)
      if ((outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none") return true
    }
    return false
  })
}

/** Whether the focus is on this element, or inside. */
export function hasFocus(locator) {
  return locator.evaluate((element) => element === document.activeElement || element.contains(document.activeElement))
}

/** Text compared as the rules say (RG-086): every space alike, every apostrophe alike. */
/** Ticks every step of the checklist on screen, phase after phase as they open. */
export async function tickAll(page) {
  const count = async () => plain(await page.locator(".checklist__count strong").innerText()).match(/^(\d+)\/(\d+)/).slice(1).map(Number)
  for (let [done, all] = await count(); done < all; [done, all] = await count()) {
    await page.locator(".step input[type=checkbox]:not(:checked)").first().check()
    await page.locator(".checklist__count strong", { hasText: new RegExp(`^${done + 1}/`) }).waitFor()
  }
}

export function plain(text) {
  return text.replace(/[\s\u00a0\u202f]+/g, " ").replace(/’/g, "'").trim()
}

/** A pattern that finds a sentence whatever its spaces and apostrophes: getByText(says("Prévue à 14 h")). */
export function says(text, { exact = false } = {}) {
  const source = text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/'/g, "['’]").replace(/ /g, "[\\s\u00a0\u202f]+")
  return new RegExp(exact ? `^\\s*${source}\\s*$` : source)
}

/** Waits until `read` gives `wanted`; fails with what it gave last. */
export async function becomes(read, wanted, what, timeout = 10_000) {
  const limit = Date.now() + timeout
  let last
  do {
    last = await read()
    if (last === wanted) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  } while (Date.now() < limit)
  assert.equal(last, wanted, what)
}
