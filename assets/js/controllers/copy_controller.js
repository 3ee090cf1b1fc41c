// SPDX-License-Identifier: EUPL-1.2
// Copies the text of a field. Without a clipboard (plain http), it selects the text instead.
import { Controller } from "../../vendor/stimulus.js"

export default class extends Controller {
  static targets = ["input", "button", "status"]
  static values = { done: String, failed: { type: String, default: "Texte sélectionné : copiez-le avec Ctrl + C" } }

  connect() { this.buttonTarget.hidden = false }

  async copy() {
    this.inputTarget.select()
    try {
      await navigator.clipboard.writeText(this.inputTarget.value)
      this.statusTarget.textContent = this.doneValue
    } catch {
      this.statusTarget.textContent = this.failedValue
    }
  }
}
