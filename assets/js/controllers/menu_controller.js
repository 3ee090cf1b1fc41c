// SPDX-License-Identifier: EUPL-1.2
// A <details> whose body floats: Escape and a click elsewhere fold it.
import { Controller } from "../../vendor/stimulus.js"

export default class extends Controller {
  connect() {
    this.listeners = new AbortController()
    const { signal } = this.listeners
    this.element.addEventListener("keydown", (event) => this.#key(event), { signal })
    this.element.addEventListener("focusout", ({ relatedTarget }) => { if (relatedTarget && !this.element.contains(relatedTarget)) this.close() }, { signal })
    document.addEventListener("pointerdown", ({ target }) => { if (!this.element.contains(target)) this.close() }, { signal })
    document.addEventListener("turbo:before-cache", () => this.close(), { signal })
  }

  disconnect() { this.listeners.abort() }

  close() { this.element.open = false }

  #key(event) {
    if (event.key !== "Escape" || !this.element.open) return
    event.stopPropagation()
    this.close()
    this.element.querySelector("summary").focus()
  }
}
