// SPDX-License-Identifier: EUPL-1.2
// Asks the server for this page again and morphs it, under the rights of the
// person who looks at it. Never while that would disturb somebody.
import { session } from "../../vendor/turbo.js"

const TYPED = "textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=hidden], [type=file])"
let underWay = false

/** True while a dialog or a menu is open, or while a field of a form has the focus. */
export function busy() {
  if (document.querySelector("dialog[open], .popover, .drop-menu[open]")) return true
  const active = document.activeElement
  return Boolean(active?.form && active.matches(TYPED))
}

/** Refreshes if it can be done now; tells whether it was asked. */
export function refresh() {
  if (busy() || document.hidden || session.navigator.currentVisit) return false
  underWay = true
  session.refresh(document.baseURI, { method: "morph", scroll: "preserve" })
  return true
}

/** True for the one request that `refresh` caused: it is not an act of the person. */
export function takeRefreshMark() {
  const mark = underWay
  underWay = false
  return mark
}
