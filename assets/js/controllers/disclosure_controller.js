// SPDX-License-Identifier: EUPL-1.2
// « Menu » on a narrow screen: a link to the navigation that becomes a button which unfolds it.
import { Controller } from "../../vendor/stimulus.js"

export default class extends Controller {
  connect() {
    this.element.setAttribute("role", "button")
    this.element.setAttribute("aria-expanded", "false")
    this.escape = (event) => { if (event.key === "Escape" && this.#open) { this.#set(false); this.element.focus() } }
    document.addEventListener("keydown", this.escape)
  }

  disconnect() { document.removeEventListener("keydown", this.escape) }

  toggle(event) {
    event.preventDefault()
    this.#set(!this.#open)
    if (this.#open) this.#controlled?.querySelector("a, button")?.focus()
  }

  get #open() { return this.element.getAttribute("aria-expanded") === "true" }
  get #controlled() { return document.getElementById(this.element.getAttribute("aria-controls")) }
  #set(open) { this.element.setAttribute("aria-expanded", String(open)) }
}
