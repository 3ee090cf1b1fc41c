// SPDX-License-Identifier: EUPL-1.2
// What a refresh of the page must leave as the person has put it.

/** Attributes that the browser holds: what is folded out, what is open. `data-morph="server"` gives them back to the server. */
export function keepsAttribute(element, name) {
  if (element.dataset.morph === "server") return false
  return (name === "open" && element.matches("details, dialog")) || name === "aria-expanded"
}

/** A field or a box that differs from what the server last sent. */
export function isEdited(element) {
  if (element.matches("input[type=checkbox], input[type=radio]")) return element.checked !== element.defaultChecked
  if (element.matches("input[type=file]")) return element.files.length > 0
  if (element.matches("input:not([type=hidden]), textarea")) return element.value !== element.defaultValue
  if (!element.matches("select:not([multiple])")) return false
  const given = Math.max(0, [...element.options].findIndex((option) => option.defaultSelected))
  return element.selectedIndex !== given
}
