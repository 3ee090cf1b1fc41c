// SPDX-License-Identifier: EUPL-1.2
// Says in words how strong a password is while it is typed; the server measures it.
import { Controller } from "../../vendor/stimulus.js"

export default class extends Controller {
  static targets = ["input", "text"]
  static values = { url: String, delay: { type: Number, default: 400 } }

  disconnect() { clearTimeout(this.timer) }

  measure() {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.#ask(), this.delayValue)
  }

  async #ask() {
    const text = this.inputTarget.value
    try {
      const answer = await fetch(this.urlValue, { method: "POST", body: new URLSearchParams({ mot_de_passe: text }) })
      if (answer.ok && text === this.inputTarget.value) this.textTarget.textContent = await answer.text()
    } catch {
      this.textTarget.textContent = ""
    }
  }
}
