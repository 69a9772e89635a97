//! The binary as a process: its one line on standard output, its exit codes, its layers of configuration.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod process;

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    process::{Command, Output, Stdio},
};

use process::{Server, binary, serve};

/// Runs to the end and returns the exit code and standard error.
fn fails(command: &mut Command) -> (i32, String) {
    let Output { status, stderr, .. } = command.stdin(Stdio::null()).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

fn one_line(message: &str) -> &str {
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    message
}

#[test]
fn the_server_announces_its_address_in_one_line_and_stops_on_sigterm() {
    let (mut server, address) = Server::start(&mut serve());
    assert!(
        address.starts_with("127.0.0.1:") && !address.ends_with(":0"),
        "{address}"
    );
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    let mut rest = String::new();
    server.0.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn the_server_ends_with_the_process_that_started_it_when_told_to() {
    let (mut server, _) = Server::start(serve().arg("--exit-with-stdin"));
    drop(server.0.stdin.take());
    assert_eq!(server.exit_code(), Some(0));
}

/// Whoever is killed closes all its pipes at once, and cannot read the last lines of the log.
#[test]
fn the_server_ends_also_when_nobody_reads_its_log_any_more() {
    let mut command = serve();
    command.arg("--exit-with-stdin");
    let mut server = Server(
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut line = String::new();
    let mut stdout = BufReader::new(server.0.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert!(line.starts_with("glocal-dmd listening on "), "{line}");
    drop((stdout, server.0.stderr.take(), server.0.stdin.take()));
    assert_eq!(server.exit_code(), Some(0));
}

#[test]
fn a_port_in_use_is_named_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, message) = fails(binary().args(["serve", "--listen", &address]));
    assert_eq!(code, 69);
    assert!(
        one_line(&message).contains(&format!("{address} is in use")),
        "{message}"
    );
}

#[test]
fn off_the_loopback_interface_it_does_not_start_unless_told_that_this_is_insecure() {
    let (code, message) = fails(binary().args(["serve", "--listen", "0.0.0.0:0"]));
    assert_eq!(code, 64);
    assert!(one_line(&message).contains("--insecure"), "{message}");
    Server::start(binary().args(["serve", "--listen", "0.0.0.0:0", "--insecure"]));
}

#[test]
fn a_running_service_is_serving_and_one_that_is_not_there_is_named() {
    let (mut server, address) = Server::start(&mut serve());
    // Readiness, liveness, and a service that it does not have.
    for probe in [
        &[] as &[&str],
        &["--service", "glocal.v1.DmdService"],
        &["--service", ""],
    ] {
        let output = binary()
            .args(["check", "--address", &address])
            .args(probe)
            .output()
            .unwrap();
        assert!(output.status.success(), "{probe:?}");
        assert_eq!(output.stdout, b"SERVING\n");
    }
    let (code, message) = fails(binary().args(["check", "--address", &address, "--service", "other"]));
    assert_eq!(code, 69);
    assert!(one_line(&message).contains("service not registered"), "{message}");
    let _ = server.0.kill();
    let _ = server.0.wait();
    let (code, message) = fails(binary().args(["check", "--address", &address]));
    assert_eq!(code, 69);
    assert!(
        one_line(&message).contains(&format!("cannot reach {address}")),
        "{message}"
    );
}

#[test]
fn wrong_keys_and_values_name_themselves() {
    let file = std::env::temp_dir().join(format!("glocal-dmd-test-{}.toml", std::process::id()));
    let with_file = |text: &str| {
        fs::write(&file, text).unwrap();
        fails(binary().arg("serve").arg("--config").arg(&file))
    };
    let exporting = |name: &str, value: &str| {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317");
        fails(serve().envs([endpoint, (name, value)]))
    };
    let cases = [
        (fails(serve().env("GLOCAL_DMD_LISTN", "x")), "listn"),
        (
            fails(serve().env("GLOCAL_DMD_LIMITS__MAX_ROWS", "many")),
            "MAX_ROWS",
        ),
        (
            fails(serve().env("GLOCAL_DMD_LIMITS__MAX_ROWS", "0")),
            "limits.max_rows",
        ),
        (
            fails(serve().env("GLOCAL_DMD_LIMITS__MAX_HELD_BYTES", "1000")),
            "limits.max_held_bytes: is 1000; at least 4456448",
        ),
        (
            fails(serve().env("GLOCAL_DMD_VERDICT__SPIKE_RATIO", "-1")),
            "verdict.spike_ratio",
        ),
        (with_file("[limits]\nmax_rowz = 1\n"), "max_rowz"),
        (with_file("[limits]\nmax_rows = \"many\"\n"), "limits.max_rows"),
        (
            fails(serve().args(["--config", "/no/such/file.toml"])),
            "/no/such/file.toml",
        ),
        (fails(binary().args(["serve", "--listen", "nowhere"])), "nowhere"),
        (fails(serve().args(["--log-level", "loud=very=x"])), "log.level"),
        (
            fails(serve().args(["--tls-key", "/no/such/key"])),
            "tls.certificate",
        ),
        (
            fails(serve().args(["--token-file", "/no/such/file"])),
            "auth.token_file",
        ),
        (
            exporting("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            "OTEL_EXPORTER_OTLP_PROTOCOL: is \"http/protobuf\"; spans are exported with \"grpc\" only",
        ),
        (
            exporting("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        ),
        (
            exporting("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "no url"),
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        ),
        (exporting("OTEL_TRACES_SAMPLER", "some"), "OTEL_TRACES_SAMPLER"),
        (
            exporting("OTEL_TRACES_EXPORTER", "zipkin"),
            "OTEL_TRACES_EXPORTER: is \"zipkin\"; otlp or none",
        ),
        (fails(serve().arg("--colour")), "--colour"),
        (fails(binary().arg("dance")), "dance"),
    ];
    fs::remove_file(&file).unwrap();
    for ((code, message), named) in cases {
        assert_eq!(code, 64, "{message}");
        assert!(message.contains(named), "{named}: {message}");
    }
}

#[test]
fn flags_come_before_the_environment_and_that_before_the_file() {
    let file = std::env::temp_dir().join(format!("glocal-dmd-layers-{}.toml", std::process::id()));
    fs::write(&file, "listen = \"0.0.0.0:0\"\n").unwrap();
    // The file alone is refused, as it listens off the loopback interface.
    let of_file = || {
        let mut command = binary();
        command.arg("serve").arg("--config").arg(&file);
        command
    };
    assert_eq!(fails(&mut of_file()).0, 64);
    let (_server, address) = Server::start(of_file().env("GLOCAL_DMD_LISTEN", "127.0.0.1:0"));
    assert!(address.starts_with("127.0.0.1:"));
    let (_server, address) = Server::start(
        of_file()
            .env("GLOCAL_DMD_LISTEN", "0.0.0.0:0")
            .args(["--listen", "127.0.0.1:0"]),
    );
    assert!(address.starts_with("127.0.0.1:"));
    fs::remove_file(&file).unwrap();
}

#[test]
fn variables_that_kubernetes_sets_for_a_service_of_this_name_are_left_alone_with_a_warning() {
    let links = [
        ("GLOCAL_DMD_PORT", "tcp://10.0.0.7:50062"),
        ("GLOCAL_DMD_SERVICE_HOST", "10.0.0.7"),
        ("GLOCAL_DMD_SERVICE_PORT", "50062"),
        ("GLOCAL_DMD_SERVICE_PORT_GRPC", "50062"),
        ("GLOCAL_DMD_PORT_50062_TCP", "tcp://10.0.0.7:50062"),
        ("GLOCAL_DMD_PORT_50062_TCP_ADDR", "10.0.0.7"),
        ("GLOCAL_DMD_PORT_50062_TCP_PORT", "50062"),
        ("GLOCAL_DMD_PORT_50062_TCP_PROTO", "tcp"),
    ];
    let (mut server, _) = Server::start_with_log(serve().envs(links), Stdio::piped());
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    let mut log = String::new();
    server.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let warning = log.lines().find(|line| line.contains("WARN")).unwrap();
    assert!(links.iter().all(|(name, _)| warning.contains(name)), "{log}");

    let (code, message) = fails(serve().envs(links).env("GLOCAL_DMD_LISTN", "x"));
    assert_eq!(code, 64);
    assert!(one_line(&message).contains("listn"), "{message}");
}

#[test]
fn a_value_where_a_section_belongs_is_refused() {
    for section in ["TLS", "AUTH", "LIMITS", "VERDICT", "LOG"] {
        let (code, message) = fails(serve().env(format!("GLOCAL_DMD_{section}"), "1"));
        assert_eq!(code, 64, "{section}: {message}");
        assert!(
            message.to_lowercase().contains(&section.to_lowercase()),
            "{section}: {message}"
        );
    }
}

#[test]
fn variables_of_those_who_use_the_service_are_left_alone() {
    let mut command = serve();
    command
        .env("GLOCAL_DMD_ADDRESS", "elsewhere:1")
        .env("GLOCAL_DMD_BINARY", "/bin/true")
        .env("GLOCAL_DMD_RETRY_SECONDS", "5");
    Server::start(&mut command);
}

/// A NumPy file of version 1.0.
fn npy(dtype: &str, order: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(bytes);
    file
}

#[test]
fn a_window_is_analyzed_from_each_format_of_file() {
    let folder = std::env::temp_dir().join(format!("glocal-dmd-windows-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let rows: Vec<[f64; 2]> = (0..20)
        .map(|t| [2.0 + 0.5_f64.powi(t), -1.0 + 0.25 * 0.5_f64.powi(t)])
        .collect();
    let lines = |open: &str, close: &str| -> String {
        let line = |row: &[f64; 2]| format!("{open}{}, {}{close}\n", row[0], row[1]);
        rows.iter().map(line).collect()
    };
    let by_rows: Vec<u8> = rows.as_flattened().iter().flat_map(|v| v.to_le_bytes()).collect();
    let columns = [0, 1].map(|c| rows.iter().map(move |row| row[c]));
    let by_columns: Vec<u8> = columns.into_iter().flatten().flat_map(f64::to_le_bytes).collect();
    let single: Vec<u8> = rows
        .as_flattened()
        .iter()
        .flat_map(|v| (*v as f32).to_le_bytes())
        .collect();
    let files = [
        ("header.csv", format!("lr, decay\n{}", lines("", "")).into_bytes()),
        ("plain.csv", lines("", "").into_bytes()),
        ("rows.jsonl", lines("[", "]").into_bytes()),
        ("rows.npy", npy("<f8", "False", "(20, 2)", &by_rows)),
        ("columns.npy", npy("<f8", "True", "(20, 2)", &by_columns)),
        ("single.npy", npy("<f4", "False", "(20, 2)", &single)),
    ];
    for (name, content) in files {
        let file = folder.join(name);
        fs::write(&file, content).unwrap();
        let output = binary().arg("analyze").arg(&file).arg("--json").output().unwrap();
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["verdict"], "TRUSTED", "{name}");
        for (c, limit) in [2.0, -1.0].into_iter().enumerate() {
            let found = report["glocal"][c].as_f64().unwrap();
            assert!((found - limit).abs() < 1e-3, "{name}: {found}");
        }
    }
    let file = folder.join("plain.csv");
    let table = binary()
        .args(["analyze", "--variant", "optimized", "--delays", "5"])
        .arg(&file)
        .output()
        .unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(
        table.contains("20 rows of 2 components, OPTIMIZED")
            && table.contains("TRUSTED: ")
            && table.contains("bound: condition of the modes "),
        "{table}"
    );

    // Nothing is as steady as that, but something is nearest, at either end of the window.
    let strict = |anchor| {
        let output = binary()
            .args([
                "analyze",
                "--json",
                "--tolerance",
                "1e-15",
                "--selection",
                "nearest",
                "--anchor",
                anchor,
            ])
            .arg(&file)
            .output()
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        report["glocal"][0].as_f64().unwrap()
    };
    let (first, last) = (strict("first"), strict("last"));
    assert!(first != last && (first - last).abs() < 1e-3, "{first} {last}");

    let wrong = [
        ("ragged.csv", "1,2\n3\n", "line 2"),
        ("words.csv", "1,2\n3,four\n", "\"four\" is not a number"),
        ("object.jsonl", "[1, 2]\n{}\n", "line 2"),
        ("none.csv", "", "no rows"),
        ("short.csv", "1\n2\n3\n", "too few"),
        ("text.npy", "hello", "the array"),
        ("window.txt", "1\n", ".csv, .tsv, .jsonl or .npy"),
    ];
    for (name, content, named) in wrong {
        let file = folder.join(name);
        fs::write(&file, content).unwrap();
        let (code, message) = fails(binary().arg("analyze").arg(&file));
        assert_eq!(code, 65, "{name}");
        assert!(
            one_line(&message).contains(named) && message.contains(name),
            "{message}"
        );
    }
    for (flag, named) in [
        ("--variant", "FORWARD_BACKWARD"),
        ("--selection", "STEADY, NEAREST"),
        ("--anchor", "FIRST, LAST"),
    ] {
        let (code, message) = fails(binary().args(["analyze", "window.csv", flag, "oracle"]));
        assert!(code == 64 && message.contains(named), "{message}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

/// A folder for the files of one test, removed at its end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("glocal-dmd-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> std::path::PathBuf {
        let file = self.0.join(name);
        fs::write(&file, content).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Means of the components, to six digits, and what was said on standard error, of a file with these flags.
fn means(file: &std::path::Path, flags: &[&str]) -> (Vec<f64>, String) {
    let output = binary()
        .args(["analyze", "--json", "--delays", "1"])
        .args(flags)
        .arg(file)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let means: Vec<f64> = serde_json::from_value(report["mean"].clone()).unwrap();
    (
        means.into_iter().map(|mean| (mean * 1e6).round() / 1e6).collect(),
        said,
    )
}

#[test]
fn what_a_table_begins_with_is_a_header_or_a_row_and_is_said() {
    let folder = Folder::new("headers");
    let rows = "2.0,1.5\n1.5,3.5\n1.0,4.0\n";
    let of_rows = vec![1.5, 3.0];
    let header = |line: &str| folder.file("header.csv", format!("{line}\n{rows}"));
    for line in ["lr,momentum", "0,1", "\"0\",\"1\"", "\u{feff}lr,momentum"] {
        let (found, said) = means(&header(line), &[]);
        assert_eq!(found, of_rows, "{line}");
        assert!(one_line(&said).contains("took line 1 for the header"), "{said}");
    }
    let (found, said) = means(&header("8,5"), &["--header", "yes"]);
    assert_eq!((found, said.is_empty()), (of_rows.clone(), false));
    let (found, said) = means(&folder.file("rows.csv", rows), &[]);
    assert_eq!((found, said.as_str()), (of_rows.clone(), ""));
    // Data that begin with 0 and 1 are not counted over.
    assert_eq!(means(&header("0,1"), &["--header", "no"]).0, [1.125, 2.5]);
    assert_eq!(
        means(&folder.file("whole.csv", "0,1\n2,3\n4,5\n"), &[]).0,
        [2.0, 3.0]
    );

    for (line, flags, named) in [
        (
            "NA,NA",
            &[] as &[&str],
            "line 1, column 1: the value is missing (\"NA\")",
        ),
        (",", &[], "line 1, column 1: the value is missing (\"\")"),
        ("<NA>,.", &[], "line 1, column 1: the value is missing (\"<NA>\")"),
        (
            "lr,momentum",
            &["--header", "no"],
            "line 1, column 1: \"lr\" is not a number",
        ),
        ("lr,0.5", &[], "line 1, column 1: \"lr\" is not a number"),
    ] {
        let (code, message) = fails(binary().arg("analyze").args(flags).arg(header(line)));
        assert_eq!(code, 65, "{line}");
        assert!(one_line(&message).contains(named), "{message}");
    }
    let single = folder.file("single.csv", "0\n0.5\n0.25\n");
    let (code, message) = fails(binary().arg("analyze").arg(&single));
    assert!(
        code == 65 && message.contains("line 1: 0 may be a name or a value; say --header yes or --header no"),
        "{message}"
    );
    assert_eq!(means(&single, &["--header", "no"]).0, [0.25]);
    for line in ["1,2", "0.0,1.0"] {
        let (_, said) = means(&header(line), &[]);
        assert!(
            said.contains("if they name the columns, say --header yes"),
            "{said}"
        );
        assert_eq!(means(&header(line), &["--header", "yes"]).0, of_rows, "{line}");
    }
    assert_eq!(means(&single, &["--header", "yes"]).0, [0.375]);
}

#[test]
fn tables_are_read_as_programs_write_them() {
    let folder = Folder::new("tables");
    let expected = vec![1.5, 3.0];
    for (name, content) in [
        ("crlf.csv", "2.0,1.5\r\n1.5,3.5\r\n\r\n1.0,4.0\r\n"),
        ("cr.csv", "2.0,1.5\r1.5,3.5\r1.0,4.0"),
        ("quoted.csv", "\"2.0\",\"1.5\"\n\"1.5\", \"3.5\"\n1.0,4.0\n"),
        ("exponents.csv", "2e0,+1.5E0\n.15e1,35e-1\n1.,4\n"),
        ("tabs.tsv", "2.0\t1.5\n1.5\t3.5\n1.0\t4.0\n"),
        ("tabs.csv", "lr\tmomentum\n2.0\t1.5\n1.5\t3.5\n1.0\t4.0\n"),
        ("semicolons.csv", "2.0;1.5\n1.5;3.5\n1.0;4.0\n"),
        ("decimal-commas.csv", "lr;momentum\n2,0;1,5\n1,5;3,5\n1;4\n"),
        (
            "savetxt.csv",
            "# lr momentum\n2.0e+00  1.5e+00\n1.5e+00  3.5e+00\n1.0e+00  4.0e+00\n",
        ),
        ("index.csv", ",lr,momentum\n0,2.0,1.5\n1,1.5,3.5\n2,1.0,4.0\n"),
        (
            "days.csv",
            ",0,1\n2026-01-01,2.0,1.5\n2026-01-02,1.5,3.5\n2026-01-03,1.0,4.0\n",
        ),
        (
            "r.csv",
            "\"\",\"V1\",\"V2\"\n\"1\",2.0,1.5\n\"2\",1.5,3.5\n\"3\",1.0,4.0\n",
        ),
        (
            "r-table.csv",
            "\"V1\" \"V2\"\n\"1\" 2.0 1.5\n\"2\" 1.5 3.5\n\"3\" 1.0 4.0\n",
        ),
    ] {
        assert_eq!(means(&folder.file(name, content), &[]).0, expected, "{name}");
    }
    let (_, said) = means(&folder.file("commas.csv", "2,5\n1,75\n1,25\n"), &[]);
    assert!(said.contains("say --delimiter semicolon"), "{said}");
    let commas = folder.file("commas.csv", "2,5\n1,25\n0,75\n");
    assert_eq!(means(&commas, &["--delimiter", ";"]).0, [1.5]);
    let pipes = folder.file("pipes.csv", "2.0|1.5\n1.5|3.5\n1.0|4.0\n");
    assert_eq!(means(&pipes, &["--delimiter", "|"]).0, expected);
    let counting = folder.file("counting.csv", "10,2.0,1.5\n11,1.5,3.5\n12,1.0,4.0\n");
    let (found, said) = means(&counting, &[]);
    assert_eq!(found, [11.0, 1.5, 3.0]);
    assert!(said.contains("--index yes leaves it out"), "{said}");
    assert_eq!(means(&counting, &["--index", "yes"]).0, expected);

    for (name, content, named) in [
        (
            "trailing.csv",
            "1.5,2.5,\n2.5,3.5,\n",
            "line 1, column 3: the value is missing (\"\")",
        ),
        (
            "ragged.csv",
            "1.5;2.5\n2.5;3.5\n4.5\n",
            "line 3: has 1 values; the first row has 2",
        ),
        (
            "mixed.csv",
            "1.5;2,5\n2.5;3,5\n",
            "line 1, column 2: \"2,5\" is not a number",
        ),
        ("utf16.csv", "\u{0}", "is UTF-16; save it as UTF-8"),
        ("packed.csv", "\u{1f}", "is compressed (gzip); unpack it first"),
        (
            "one-decimal-comma.csv",
            "lr\n2,000\n1,500\n0,750\n",
            "line 2: has 2 values, and the header 1 names; say --index yes",
        ),
        (
            "nan.jsonl",
            "[1.5]\n[2.5]\n[NaN]\n",
            "line 3, column 2: NaN is not a number in JSON\n",
        ),
        (
            "text.jsonl",
            "[1.5]\n[\"2.5\"]\n",
            "line 2, column 6: invalid type: string \"2.5\", expected a number\n",
        ),
        (
            "object.jsonl",
            "{\"lr\": 1.5}\n",
            "line 1, column 1: invalid type: map, expected an array of numbers\n",
        ),
    ] {
        let content = match name {
            "utf16.csv" => b"\xff\xfe1\0".to_vec(),
            "packed.csv" => b"\x1f\x8b\x08\0".to_vec(),
            _ => content.as_bytes().to_vec(),
        };
        let (code, message) = fails(binary().arg("analyze").arg(folder.file(name, content)));
        assert_eq!(code, 65, "{name}");
        assert!(one_line(&message).contains(named.trim_end()), "{message}");
    }
    let marked = folder.file("marked.jsonl", "\u{feff}[2.0, 1.5]\n[1.5, 3.5]\n[1.0, 4.0]\n");
    assert_eq!(means(&marked, &[]).0, expected);
}

#[test]
fn an_option_out_of_range_is_a_wrong_flag() {
    let folder = Folder::new("options");
    let file = folder.file("rows.csv", "1.5\n2.5\n");
    let (code, message) = fails(binary().args(["analyze", "--ridge=-1"]).arg(file));
    assert_eq!(code, 64);
    assert!(one_line(&message).contains("ridge"), "{message}");
}
