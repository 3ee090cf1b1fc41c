// SPDX-License-Identifier: EUPL-1.2
// Shows or hides a password. Its strength is the server's business.
import { Controller } from "../../vendor/stimulus.js"

export default class extends Controller {
  static targets = ["input", "button", "text"]
  static values = { show: { type: String, default: "Afficher" }, hide: { type: String, default: "Masquer" } }

  connect() {
    this.buttonTarget.hidden = false
    this.hide = () => this.#set(false)                  // never sent or kept as plain text
    this.inputTarget.form?.addEventListener("submit", this.hide)
  }

  disconnect() { this.inputTarget.form?.removeEventListener("submit", this.hide) }

  toggle() { this.#set(this.inputTarget.type === "password") }

  #set(visible) {
    this.inputTarget.type = visible ? "text" : "password"
    this.textTarget.textContent = visible ? this.hideValue : this.showValue
  }
}
