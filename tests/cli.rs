//! What is said without a screen: help, version, and settings that cannot be used.

#[cfg(test)]
mod cli {
    use std::env;
    use std::fs;
    use std::process::{Command, Stdio};

    use tempfile::TempDir;

    struct Said {
        code: Option<i32>,
        out: String,
        err: String,
    }

    /// Runs the program without a terminal, with `settings` as its file, named by `--config` where there are any.
    fn run(arguments: &[&str], settings: Option<&str>) -> Said {
        let home = TempDir::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tracefall"));
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TRACEFALL_")) {
            command.env_remove(name);
        }
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"]
        {
            command.env(name, home.path());
        }
        command.args(arguments).stdin(Stdio::null());
        if let Some(settings) = settings {
            let file = home.path().join("settings.toml");
            fs::write(&file, settings).unwrap();
            command.arg("--config").arg(file);
        }
        let output = command.output().unwrap();
        Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[test]
    fn without_a_terminal_it_says_what_to_run_instead() {
        let said = run(&[], None);
        assert_eq!(said.code, Some(2));
        assert!(said.err.contains("tracefall listen"), "{}", said.err);
        assert_eq!(said.out, "", "nothing is drawn");
    }

    #[test]
    fn help_names_the_files() {
        let asked: [(&[&str], &[&str]); 6] = [
            (&["--help"], &["listen", "demo", "query", "assert", "--memory", "TRACEFALL_GRPC"]),
            (&["query", "--help"], &["FILTER", "[FILE]...", "--limit", "--for", "--pid", "-o, --output", "jsonl"]),
            (&["tail", "-h"], &["FILTER", "--limit", "--for"]),
            (&["assert", "--help"], &["--none", "--max-p95", "FILTER=DURATION", "--file"]),
            (&["listen", "--help"], &["--for", "--json"]),
            (&["demo", "--help"], &["--rate", "--seed"]),
        ];
        for (arguments, parts) in asked {
            let said = run(arguments, None);
            assert_eq!(said.code, Some(0));
            for part in parts.iter().chain(&["Settings: /", "Log:      /"]) {
                assert!(said.out.contains(part), "{part} in {}", said.out);
            }
        }
    }

    #[test]
    fn the_version_is_the_crates() {
        let said = run(&["--version"], None);
        assert_eq!((said.code, said.out), (Some(0), format!("tracefall {}\n", env!("CARGO_PKG_VERSION"))));
    }

    /// What only shows when masks and keys are built is told by `listen` too, and before a door is open.
    #[test]
    fn masks_and_keys_that_cannot_be_used_are_named_with_file_and_line() {
        let wrong: [(&str, &[&str]); 5] = [
            ("\n[redact]\nkeys = ['a']\npatterns = ['((']\n", &["line 4", "redact.patterns", "unclosed group"]),
            ("[redact]\nkeys = ['--']\n", &["line 2", "redact.keys"]),
            ("[keys]\nquti = ['x']\n", &["line 2", "keys.quti", "no action"]),
            ("[keys]\nquit = ['hyper-x']\n", &["line 2", "keys.quit", "no key"]),
            ("\n[keys]\nsort = ['x']\ntheme = ['x']\n", &["line 4", "keys.theme", "both"]),
        ];
        for (settings, parts) in wrong {
            let said =
                run(&["listen", "--for", "1ms", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"], Some(settings));
            assert_eq!(said.code, Some(2), "{settings}");
            assert!(!said.err.contains("listening"), "{}", said.err);
            for part in parts.iter().chain(&["settings.toml"]) {
                assert_eq!(said.err.matches(part).count(), 1, "{part} in {}", said.err);
            }
        }
    }

    #[test]
    fn settings_that_cannot_be_used_are_named_with_their_place() {
        let wrong: [(&[&str], Option<&str>, &[&str]); 5] = [
            (&[], Some("theme = \"dark\"\nmemroy = \"1GiB\"\n"), &["settings.toml", "line 2", "memroy"]),
            (&[], Some("memory = \"a lot\"\n"), &["settings.toml", "line 1", "memory", "a lot"]),
            (&["--memory", "a lot"], None, &["--memory", "a lot"]),
            (&["--grpc", "nowhere"], None, &["--grpc", "nowhere"]),
            (&["--config", "/nowhere/at/all.toml"], None, &["/nowhere/at/all.toml"]),
        ];
        for (arguments, settings, parts) in wrong {
            let mut listen = vec!["listen", "--for", "1ms"];
            listen.extend(arguments);
            for arguments in [arguments, &listen] {
                let said = run(arguments, settings);
                assert_eq!(said.code, Some(2), "{arguments:?}: {}", said.err);
                for part in parts {
                    assert!(said.err.contains(part), "{part} in {}", said.err);
                }
            }
        }
    }
}
