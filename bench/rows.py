# SPDX-License-Identifier: EUPL-1.2
"""Files to import: 16 columns, `;`, cp1252, one line in a hundred with a known fault."""
import csv, io, pathlib, random, subprocess, sys

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared/tools/gen_ops_csv.py"
HEADER = ("Matricule;Nom;Prénom;Service;Site;N° de poste;Modèle;Statut;Date planifiée;Technicien;Bureau;Système cible;"
          "Téléphone;Courriel;Prérequis;Commentaire").split(";")
NAMES = "Martin Bernard Lefèvre Durand Dubois Moreau Müller Guérin François Clément Noël Rivière Étienne Béranger Traoré".split()
FIRST = "Marie Jean Zoé Anne Michel Hélène Loïc Inès Rémi Océane Théo Agnès Jérôme Élodie".split()
SITES = ["Siège – Bâtiment A", "Siège – Bâtiment B"] + [f"Antenne {c}" for c in "Évry Orléans Besançon Nîmes Troyes Épinal Sète Mâcon".split()]
COMMENTS = ["", "", "", "Prévoir un écran supplémentaire", "Bureau fermé à clé ; voir l'accueil", 'Dit "urgent" par le service', "Deux écrans\nune station d'accueil"]


def make(path, rows):
    """By the project's generator where it is, else by the one below: same columns, same faults."""
    if SHARED.exists():
        subprocess.run([sys.executable, SHARED, "--rows", str(rows), "--encoding", "cp1252", "--dirty", ".01", "-o", path], check=True, stderr=subprocess.DEVNULL)
    else:
        path.write_bytes(own(rows).encode("cp1252"))


def own(rows, seed=42):
    rnd, out = random.Random(seed), io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    writer.writerow(HEADER)
    for n in range(1, rows + 1):
        name, first = rnd.choice(NAMES), rnd.choice(FIRST)
        day = f"{rnd.randint(1, 28):02}/{rnd.randint(1, 12):02}/2026" if rnd.random() < 0.5 else ""
        row = [f"M{n:07}", name, first, f"Service {rnd.randint(1, 24)}", SITES[min(rnd.randint(0, 9), rnd.randint(0, 9))], f"PC-{rnd.randrange(36**5):07X}",
               rnd.choice(["Latitude 5440", "ThinkPad T14 Gen 4", "Surface Pro 9"]), rnd.choice(["À planifier", "Planifié", "Réalisé"]), day, "",
               f"{rnd.choice('ABCD')}{rnd.randint(100, 499)}", "Windows 11 24H2", " ".join(["02"] + [f"{rnd.randint(0, 99):02}" for _ in range(4)]),
               f"agent{n}@agents.example", rnd.choice(["OK", "OK", "Sauvegarde à faire", ""]), rnd.choice(COMMENTS)]
        if n % 100 == 0:
            fault = n // 100 % 4
            if fault == 0:
                row[8] = "31/02/2026"
            elif fault == 1:
                row[0] = ""
            elif fault == 2:
                row[0] = f"M{n - 50:07}"
            else:
                row = row[:-1]
        writer.writerow(row)
    return out.getvalue()


def tenfold(source, path, times=10):
    """The same lines `times` times, with other identifiers: a big file in a second."""
    header, body = source.read_bytes().split(b"\n", 1)
    with open(path, "wb") as out:
        out.write(header + b"\n")
        for k in range(times):
            out.write((b"\n" + body).replace(b"\nM0", b"\nM%d" % k)[1:])
