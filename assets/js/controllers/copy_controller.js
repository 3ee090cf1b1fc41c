// SPDX-License-Identifier: EUPL-1.2
// Copies the text of a field. Without a clipboard (plain http), it selects the text instead.
// `now`: also when it appears, if the browser lets it, and in silence otherwise.
import { Controller } from "../../vendor/stimulus.js"

export default class extends Controller {
  static targets = ["input", "button", "status"]
  static values = { done: String, now: Boolean, failed: { type: String, default: "Texte sélectionné : copiez-le avec Ctrl + C" } }

  connect() {
    this.buttonTarget.hidden = false
    if (this.nowValue) this.#write().catch(() => {})
  }

  async copy() {
    this.inputTarget.select()
    try {
      await this.#write()
    } catch {
      this.statusTarget.textContent = this.failedValue
    }
  }

  async #write() {
    await navigator.clipboard.writeText(this.inputTarget.value)
    this.statusTarget.textContent = this.doneValue
  }
}
