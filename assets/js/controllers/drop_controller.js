// SPDX-License-Identifier: EUPL-1.2
// A zone around a real file input: a file dropped on it is the file of the input.
import { Controller } from "../../vendor/stimulus.js"

const UNITS = ["octets", "ko", "Mo", "Go"]

export default class extends Controller {
  static targets = ["input", "name"]
  static values = { names: String }   // the field that takes the name of the file, unless something else is typed

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
    const field = this.namesValue && this.element.closest("form").elements[this.namesValue]
    if (file && field && (!field.value || field.value === this.proposed)) field.value = this.proposed = file.name.slice(0, 200)
  }

  #size(bytes) {
    const power = Math.min(UNITS.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3))
    const value = (bytes / 1000 ** power).toLocaleString("fr-FR", { maximumFractionDigits: power > 1 ? 1 : 0 })
    return `${value}\u00a0${UNITS[power]}`
  }
}
