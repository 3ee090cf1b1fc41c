// SPDX-License-Identifier: EUPL-1.2
// A link whose page is a list of choices shows it beside itself instead.
// Arrows move, only Enter or a click commits; the forms inside go through Turbo.
import { Controller } from "../../vendor/stimulus.js"
import { visit } from "../../vendor/turbo.js"
import { returnFocusTo } from "../helpers/focus.js"

const ITEMS = "[role=menuitem]:not([disabled]), [role=menuitemradio]:not([disabled]), .menu__item:not([disabled])"
const FIRST = `[autofocus], ${ITEMS}, input:not([type=hidden]), select, textarea, button`
const plain = (text) => text.trim().normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase()

export default class extends Controller {
  static values = { loading: { type: String, default: "Chargement…" } }

  disconnect() { this.#remove() }

  open(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button > 0) return   // a new tab, as for any link
    event.preventDefault()
    const link = event.currentTarget
    if (this.box) return this.close()
    this.link = link
    this.box = document.createElement("div")
    this.box.className = "popover"
    link.after(this.box)
    link.setAttribute("aria-expanded", "true")
    this.listeners = new AbortController()
    const { signal } = this.listeners
    this.box.addEventListener("keydown", (event) => this.#key(event), { signal })
    this.box.addEventListener("click", (event) => this.#follow(event), { signal })
    this.box.addEventListener("turbo:submit-end", ({ detail }) => { returnFocusTo(link.id); if (detail.success) this.#remove() }, { signal })
    document.addEventListener("pointerdown", (event) => { if (!this.box.contains(event.target) && !link.contains(event.target)) this.#remove() }, { signal })
    document.addEventListener("turbo:before-cache", () => this.#remove(), { signal })
    for (const event of ["scroll", "resize"]) addEventListener(event, () => this.#place(), { signal, capture: true, passive: true })
    return this.#load(link.href)
  }

  close() {
    const { link } = this
    this.#remove()
    link?.focus({ preventScroll: true })
  }

  async #load(href) {
    const { box } = this
    box.setAttribute("aria-busy", "true")
    try {
      const answer = await fetch(href, { headers: { "X-Fragment": "1", Accept: "text/html" }, redirect: "error" })
      if (!answer.ok) throw new Error(String(answer.status))
      const html = await answer.text()
      if (box !== this.box) return
      box.innerHTML = html
      box.removeAttribute("aria-busy")
      this.#place()
      box.querySelector(FIRST)?.focus({ preventScroll: true })
    } catch {
      if (box === this.box) visit(href)            // signed out, gone, no network: the page itself says it
    }
  }

  // A choice that needs more (a reason, a date) is the next page of the same menu.
  #follow(event) {
    const link = event.target.closest("a[data-popover-next]")
    if (!link) return
    event.preventDefault()
    this.#load(link.href)
  }

  #key(event) {
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); return this.close() }
    const typing = event.target.matches("input, textarea, select")
    if (event.key === "Tab" && event.target.matches(ITEMS)) return this.close()
    const items = [...this.box.querySelectorAll(ITEMS)].filter((item) => item.checkVisibility())
    const at = items.indexOf(document.activeElement)
    const to = { ArrowDown: (at + 1) % items.length, ArrowUp: (Math.max(at, 0) - 1 + items.length) % items.length, Home: 0, End: items.length - 1 }[event.key]
    if (items.length && to !== undefined && (!typing || (event.key === "ArrowDown" && event.target.matches("input")))) {
      event.preventDefault()
      items[to].focus()
    } else if (!typing && event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey) {
      this.#typeAhead(event.key, items, at)
    }
  }

  #typeAhead(key, items, at) {
    clearTimeout(this.forget)
    this.typed = (this.typed ?? "") + plain(key)
    this.forget = setTimeout(() => { this.typed = "" }, 700)
    const from = this.typed.length > 1 ? at : at + 1
    const ring = [...items.slice(from), ...items.slice(0, from)]
    ring.find((item) => plain(item.textContent).startsWith(this.typed))?.focus()
  }

  // Under its link, above if there is no room; on a narrow screen popover.css makes it a sheet.
  #place() {
    if (!this.box) return
    const { style } = this.box
    if (matchMedia("(width < 40rem)").matches) { style.top = style.left = ""; return }
    const link = this.link.getBoundingClientRect()
    const { offsetWidth: width, offsetHeight: height } = this.box
    const below = link.bottom + 2
    style.top = `${below + height > innerHeight && link.top > height ? link.top - height - 2 : Math.max(8, Math.min(below, innerHeight - height - 8))}px`
    style.left = `${Math.max(8, Math.min(link.left, innerWidth - width - 8))}px`
  }

  #remove() {
    if (!this.box) return
    this.listeners.abort()
    clearTimeout(this.forget)
    this.box.remove()
    this.box = null
    this.link.setAttribute("aria-expanded", "false")
    document.dispatchEvent(new Event("popover:closed"))
  }
}
