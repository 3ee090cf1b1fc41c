// SPDX-License-Identifier: EUPL-1.2
// A table of days becomes a grid: arrows from day to day and from person to person, Page Up and
// Page Down from period to period, Enter opens. Without it the links are reached one by one.
import { Controller } from "../../vendor/stimulus.js"
import { visit } from "../../vendor/turbo.js"

let returning = null                    // where the focus goes when the next period is drawn

export default class extends Controller {
  connect() {
    this.element.setAttribute("role", "grid")
    this.listeners = new AbortController()
    const { signal } = this.listeners
    this.element.addEventListener("keydown", (event) => this.#key(event), { signal })
    this.element.addEventListener("focusin", ({ target }) => { const cell = target.closest("td"); if (cell) this.#rove(cell) }, { signal })
    addEventListener("turbo:morph", () => this.#dress(), { signal })
    this.#dress()
    if (returning) this.#focus(...returning)
    returning = null
  }

  disconnect() { this.listeners.abort() }

  // One cell of the grid is in the order of Tab.
  #dress() {
    this.element.setAttribute("role", "grid")
    const cells = this.#rows().flat()
    const kept = cells.find((cell) => cell.contains(document.activeElement)) ?? cells.find((cell) => cell.matches(".is-today")) ?? cells[0]
    this.#rove(kept)
  }

  // A cell with one link is reached by its link.
  #target(cell) {
    const links = cell.querySelectorAll("a")
    return links.length === 1 ? links[0] : cell
  }

  #rows() { return [...this.element.querySelectorAll("tbody tr, tfoot tr")].map((row) => [...row.querySelectorAll("td")]) }

  #rove(cell) {
    for (const other of this.#rows().flat()) this.#target(other).tabIndex = other === cell ? 0 : -1
  }

  #focus(row, column) {
    const rows = this.#rows()
    const cells = rows[Math.min(row, rows.length - 1)]
    const cell = cells?.[Math.min(column, cells.length - 1)]
    if (cell) this.#target(cell).focus()
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const cell = event.target.closest("td")
    if (!cell) return
    const rows = this.#rows()
    const row = rows.findIndex((cells) => cells.includes(cell))
    const column = rows[row].indexOf(cell)
    if (event.key === "PageUp" || event.key === "PageDown") {
      event.preventDefault()
      returning = [row, column]
      return visit(document.querySelector(event.key === "PageUp" ? "a[rel=prev]" : "a[rel=next]").href)
    }
    if (event.key === "Enter" && event.target === cell) {
      event.preventDefault()
      return cell.querySelector("[data-calendar-open]")?.click()
    }
    const to = { ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], Home: [row, 0], End: [row, rows[row].length - 1] }[event.key]
    if (!to) return
    event.preventDefault()
    const next = rows[to[0]]?.[to[1]]
    if (next) this.#target(next).focus()
  }
}
