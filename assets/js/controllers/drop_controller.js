// SPDX-License-Identifier: EUPL-1.2
// A zone around a real file input: a file dropped on it is the file of the input.
import { Controller } from "../../vendor/stimulus.js"

const UNITS = ["octets", "ko", "Mo", "Go"]

export default class extends Controller {
  static targets = ["input", "name"]

  over(event) { event.preventDefault(); this.element.classList.add("is-over") }

  leave() { this.element.classList.remove("is-over") }

  drop(event) {
    event.preventDefault()
    this.leave()
    if (!event.dataTransfer.files.length) return
    this.inputTarget.files = event.dataTransfer.files
    this.inputTarget.dispatchEvent(new Event("change", { bubbles: true }))
  }

  show() {
    const file = this.inputTarget.files[0]
    this.nameTarget.textContent = file ? `${file.name}, ${this.#size(file.size)}` : ""
  }

  #size(bytes) {
    const power = Math.min(UNITS.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3))
    const value = (bytes / 1000 ** power).toLocaleString("fr-FR", { maximumFractionDigits: power > 1 ? 1 : 0 })
    return `${value}\u00a0${UNITS[power]}`
  }
}
