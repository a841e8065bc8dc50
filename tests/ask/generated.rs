//! What is made from the description of the command line.

use super::rig::Home;

#[test]
fn completions_know_the_commands_for_every_shell() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = home.run(&["completions", shell]);
        assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{shell}");
        for word in ["query", "assert", "max-p95"] {
            assert!(said.out.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(home.run(&["completions", "tcsh"]).code, Some(2));
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let home = Home::new();
    let page = home.run(&["man"]);
    assert_eq!(page.code, Some(0));
    assert!(page.out.contains(".TH tracefall 1") && page.out.contains("tracefall\\-query(1)"), "{}", page.out);
    let page = home.run(&["man", "query"]);
    assert!(page.out.contains(".TH tracefall-query 1") && page.out.contains("FILTER"), "{}", page.out);
    assert_eq!(home.run(&["man", "no-such"]).code, Some(2));
}
