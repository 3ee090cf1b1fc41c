// SPDX-License-Identifier: EUPL-1.2
// Where the focus goes after Turbo has drawn a page.
let wanted = null

/** The next page gives the focus to the element of this id, if it is there. */
export function returnFocusTo(id) { wanted = id || wanted }

export function rememberFocus() { wanted ??= document.activeElement?.id || null }

/** Gives the focus back by id, unless the page has already placed it. */
export function restoreFocus() {
  const id = wanted
  wanted = null
  if (document.activeElement && document.activeElement !== document.body) return true
  const element = id && document.getElementById(id)
  element?.focus({ preventScroll: true })
  return Boolean(element)
}

export function forgetFocus() { wanted = null }
