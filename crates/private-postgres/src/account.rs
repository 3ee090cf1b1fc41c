// SPDX-License-Identifier: EUPL-1.2
//! The Unix account that runs PostgreSQL, which refuses to run as root.

use std::{
    ffi::OsStr,
    fs::{DirBuilder, File, Permissions},
    io::Write,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

/// Another account than ours, when we are root; `None` means our own.
#[derive(Clone, Copy, Debug)]
pub struct Account(Option<Ids>);

#[derive(Clone, Copy, Debug)]
struct Ids {
    uid: u32,
    gid: u32,
}

impl Account {
    /// Existing data keep their owner, even if the preferred account changed since.
    pub fn choose(preferred: Option<&str>, data: &Path) -> Result<Self> {
        let me = rustix::process::geteuid();
        let owner = data.metadata().ok().map(|m| Ids { uid: m.uid(), gid: m.gid() });
        if !me.is_root() {
            if owner.is_some_and(|ids| ids.uid != me.as_raw()) {
                bail!(
                    "Les données de {} appartiennent à un autre compte : lancez la commande avec \
                     le compte qui les a créées (root, par exemple avec sudo).",
                    data.display()
                );
            }
            if uzers::get_user_by_uid(me.as_raw()).is_none() {
                bail!(
                    "Le compte Unix n° {} n'a pas de nom sur cette machine et PostgreSQL le \
                     refuse : ajoutez-le à /etc/passwd, ou donnez une base par DATABASE_URL.",
                    me.as_raw()
                );
            }
            return Ok(Self(None));
        }
        if let Some(ids) = owner.filter(|ids| ids.uid != 0) {
            return Ok(Self(Some(ids)));
        }
        if let Some(name) = preferred
            && uzers::get_user_by_name(name).is_none_or(|user| user.uid() == 0)
        {
            bail!("OPSTRACKER_PG_USER : « {name} » n'est pas un compte ordinaire de la machine.");
        }
        let names = preferred.into_iter().chain(["opstracker", "postgres", "nobody"]);
        match names.filter_map(uzers::get_user_by_name).find(|user| user.uid() != 0) {
            Some(user) => Ok(Self(Some(Ids { uid: user.uid(), gid: user.primary_group_id() }))),
            None => bail!(
                "PostgreSQL refuse d'être lancé par root et aucun autre compte ne convient : \
                 créez-en un (adduser --system opstracker) ou nommez-le par OPSTRACKER_PG_USER."
            ),
        }
    }

    /// A command run as this account. Its environment is empty, so that neither our secrets nor
    /// stray `PG…` variables reach PostgreSQL.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some(ids) = self.0 {
            command.gid(ids.gid).uid(ids.uid); // std clears the supplementary groups too
        }
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        command.env_clear().env("PATH", path).env("LC_ALL", "C");
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    /// The same, ended by the kernel when our thread ends, even by `kill -9`: the death signal
    /// follows the thread that starts the program, which must last as long as the program does.
    pub fn tied_command(&self, signal: &str, program: &Path) -> Command {
        if !["/usr/bin/setpriv", "/bin/setpriv"].iter().any(|path| Path::new(path).exists()) {
            return self.command(program);
        }
        let mut command = self.command("setpriv");
        command.args(["--pdeathsig", signal, "--"]).arg(program);
        command
    }

    pub fn is_other(&self) -> bool {
        self.0.is_some()
    }

    /// The first directory on the way to `path` that the account may not enter.
    pub fn barrier<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        let enters = |directory: &Path| {
            let status = self.command("test").arg("-x").arg(directory).status();
            status.is_ok_and(|status| status.success())
        };
        if !self.is_other() || enters(path) {
            return None;
        }
        let mut way: Vec<&Path> = path.ancestors().collect();
        way.reverse();
        way.into_iter().find(|directory| !enters(directory))
    }

    /// Creates a directory for the account alone. One that exists is refused: in a directory open
    /// to all, it could be somebody else's.
    pub fn create_dir(&self, path: &Path) -> Result<()> {
        let what = || format!("Impossible de créer le répertoire {}", path.display());
        DirBuilder::new().mode(0o700).create(path).with_context(what)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o700)).with_context(what)?;
        self.give(path)
    }

    /// Writes a file for the account (and root) alone, safely on disk.
    pub fn write_secret(&self, path: &Path, text: &str) -> Result<()> {
        let what = || format!("Impossible d'écrire {}", path.display());
        let _ = std::fs::remove_file(path); // an older one may have wider rights
        let mut options = File::options();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(path).with_context(what)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(what)?;
        self.give(path)
    }

    fn give(&self, path: &Path) -> Result<()> {
        let Some(ids) = self.0 else { return Ok(()) };
        chown(path, Some(ids.uid), Some(ids.gid))
            .with_context(|| format!("Impossible de donner {} à PostgreSQL", path.display()))
    }
}
