//! The manual page: one page with a section for each command.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Command;
use clap_mangen::Man;

use crate::failure::Outcome;

pub(crate) fn print(command: Command) -> Outcome {
    let page = page(command)?;
    io::stdout().lock().write_all(page.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn page(command: Command) -> io::Result<String> {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|part| part.get_name().to_owned())
        .collect();
    let mut command = command.disable_help_subcommand(true);
    for name in names {
        // Of a flag that the short help leaves out, the page would have the name alone.
        command = command.mut_subcommand(name, |part| part.mut_args(|flag| flag.hide_short_help(false)));
    }
    command.build();
    let man = Man::new(command.clone());
    let mut page = rendered(|page| {
        man.render_title(page)?;
        man.render_name_section(page)?;
        man.render_synopsis_section(page)?;
        man.render_description_section(page)?;
        man.render_options_section(page)
    })?;
    let parts = || command.get_subcommands().filter(|part| !part.is_hide_set());
    // Writing to a String cannot fail.
    let _ = writeln!(page, ".SH COMMANDS");
    for part in parts() {
        let about = part.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(
            page,
            ".TP\n\\fB{}\\fR\n{}",
            escaped(part.get_name()),
            escaped(&about)
        );
    }
    add_help(&mut page, ".SH", &command);
    for part in parts() {
        let title = format!("oss-credentials {}", part.get_name()).to_uppercase();
        let _ = writeln!(page, ".SH \"{}\"", escaped(&title));
        let man = Man::new(part.clone());
        let sections = rendered(|page| {
            man.render_description_section(page)?;
            man.render_synopsis_section(page)?;
            man.render_options_section(page)
        })?;
        // The description follows the title. All other sections are parts of this one.
        let sections = sections.replacen(".SH DESCRIPTION\n", "", 1);
        page.push_str(&sections.replace("\n.SH ", "\n.SS "));
        add_help(&mut page, ".SS", part);
    }
    page.push_str(&rendered(|page| man.render_version_section(page))?);
    Ok(page)
}

fn rendered(render: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<String> {
    let mut text = Vec::new();
    render(&mut text)?;
    String::from_utf8(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Adds the text at the end of a command's help: lines that are indented stay as they are, titles end with a colon.
fn add_help(page: &mut String, heading: &str, command: &Command) {
    let help = command.get_after_long_help().or(command.get_after_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let mut lines = help.lines().peekable();
    while let Some(line) = lines.next() {
        let is_before_example = lines.peek().is_some_and(|next| next.starts_with(' '));
        // Writing to a String cannot fail.
        let _ = match line.strip_suffix(':') {
            _ if line.starts_with(' ') => writeln!(page, "{}", escaped(line)),
            Some(title @ ("Examples" | "Exit codes")) => {
                writeln!(page, "{heading} \"{}\"", title.to_uppercase())
            }
            _ if line.is_empty() => Ok(()),
            _ => writeln!(page, ".PP\n{}", escaped(line)),
        };
        match (line.starts_with(' '), is_before_example) {
            (false, true) => page.push_str(".nf\n"),
            (true, false) => page.push_str(".fi\n"),
            _ => {}
        }
    }
}

/// The text without what roff takes for its own.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        return format!("\\&{text}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_flag_is_explained() {
        let page = page(crate::args::Options::command()).unwrap();
        let lines: Vec<&str> = page.lines().collect();
        let flags = lines.windows(2).filter(|pair| pair[0].starts_with("\\fB\\-"));
        let mut count = 0;
        for pair in flags {
            count += 1;
            assert!(!pair[1].starts_with('.'), "{} is not explained", pair[0]);
        }
        assert!(count > 100, "{count} flags");
    }

    #[test]
    fn examples_keep_their_lines_and_text_is_filled() {
        let command = Command::new("x")
            .after_help("Examples:\n  x \\\n    --y\n\nIt is so.\n\nExit codes:\n  0  it is so");
        let mut page = String::new();
        add_help(&mut page, ".SS", &command);
        assert_eq!(
            page,
            ".SS \"EXAMPLES\"\n.nf\n  x \\e\n    \\-\\-y\n.fi\n.PP\nIt is so.\n.SS \"EXIT CODES\"\n.nf\n  0  it is so\n.fi\n"
        );
    }
}
