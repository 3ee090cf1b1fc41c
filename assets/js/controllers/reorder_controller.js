// SPDX-License-Identifier: EUPL-1.2
// Rows that can also be moved by dragging: dropping one sends its own « position » form with the
// rank. The buttons « Monter » and « Descendre » stay the way of the keyboard.
import { Controller } from "../../vendor/stimulus.js"

export default class extends Controller {
  static targets = ["row", "form"]

  // A refresh puts back the attributes that the server wrote: rows are made draggable when touched.
  connect() { this.element.addEventListener("pointerdown", this.ready) }

  disconnect() { this.element.removeEventListener("pointerdown", this.ready) }

  ready = () => this.rowTargets.forEach((row) => { row.draggable = true })

  rowTargetConnected(row) {
    row.addEventListener("dragstart", this.start)
    row.addEventListener("dragover", this.over)
    row.addEventListener("dragleave", this.leave)
    row.addEventListener("drop", this.drop)
    row.addEventListener("dragend", this.end)
  }

  start = (event) => {
    if (event.target.closest("a, button, input, select, textarea")) return event.preventDefault()
    this.dragged = event.currentTarget
    this.dragged.classList.add("is-dragged")
    event.dataTransfer.effectAllowed = "move"
    event.dataTransfer.setData("text/plain", this.dragged.id)
  }

  over = (event) => {
    if (!this.dragged) return
    event.preventDefault()
    event.currentTarget.classList.add("is-over")
  }

  leave = (event) => event.currentTarget.classList.remove("is-over")

  drop = (event) => {
    event.preventDefault()
    const target = event.currentTarget
    target.classList.remove("is-over")
    if (!this.dragged || target === this.dragged) return
    const form = this.dragged.querySelector("form[data-reorder-target=form]")
    const rank = document.createElement("input")
    Object.assign(rank, { type: "hidden", name: "rang", value: this.rowTargets.indexOf(target) })
    form.append(rank)
    form.requestSubmit()
  }

  end = () => {
    this.dragged?.classList.remove("is-dragged")
    this.dragged = null
  }
}
