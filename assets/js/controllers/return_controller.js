// SPDX-License-Identifier: EUPL-1.2
// After « Terminer »: 1.5 s, then back to the list where it was left, unless the person stays (RG-022).
import { Controller } from "../../vendor/stimulus.js"
import { visit } from "../../vendor/turbo.js"

export default class extends Controller {
  static values = { url: String, delay: { type: Number, default: 1500 } }

  connect() { this.timer = setTimeout(() => this.#leave(), this.delayValue) }

  disconnect() { clearTimeout(this.timer) }

  stay() {
    clearTimeout(this.timer)
    this.element.querySelector("[data-action~='return#stay']")?.setAttribute("hidden", "")
  }

  #leave() {
    const scroll = Number(sessionStorage.getItem(`scroll:${new URL(this.urlValue, location.href).pathname}`))
    addEventListener("turbo:load", () => scrollTo(0, scroll), { once: true })
    visit(this.urlValue)
  }
}
