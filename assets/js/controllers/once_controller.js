// SPDX-License-Identifier: EUPL-1.2
// A form that is sent once: its buttons rest until the answer, or until the page is shown again.
import { Controller } from "../../vendor/stimulus.js"

export default class extends Controller {
  connect() {
    this.listeners = new AbortController()
    const { signal } = this.listeners
    this.element.addEventListener("submit", () => setTimeout(() => this.#rest(true)), { signal })
    this.element.addEventListener("turbo:submit-end", () => this.#rest(false), { signal })
    addEventListener("pageshow", () => this.#rest(false), { signal })
  }

  disconnect() { this.listeners.abort() }

  // After the browser has read the form, so that the button pressed is part of it.
  #rest(resting) {
    for (const button of this.element.querySelectorAll("button:not([type=button]), input[type=submit]")) button.disabled = resting
  }
}
