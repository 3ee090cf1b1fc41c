// SPDX-License-Identifier: EUPL-1.2
// The files that journeys send.
import { existsSync } from "node:fs"

const SHARED = process.env.OPSTRACKER_SHARED ?? new URL("../../../shared", import.meta.url).pathname
const REAL = `${SHARED}/data/imports/inventaire_informatique_excel_fr.csv`

/** An inventory as a French Excel saves it: 10 devices in 7 places, 3 lines of somebody's
    notes that have no identifier, 6 empty lines. The real one when it is there. */
export const INVENTORY = existsSync(REAL) ? REAL : new URL("../files/inventaire.csv", import.meta.url).pathname
export const PDF = new URL("../files/inventaire.pdf", import.meta.url).pathname
