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
fn variables_of_those_who_use_the_service_are_left_alone() {
    let mut command = serve();
    command
        .env("GLOCAL_DMD_ADDRESS", "elsewhere:1")
        .env("GLOCAL_DMD_BINARY", "/bin/true");
    Server::start(&mut command);
}

#[test]
fn the_fixtures_are_compared_from_the_command_line() {
    let output = binary()
        .args(["fixtures", "tests/fixtures/dmd.json", "--json"])
        .output()
        .unwrap();
    assert!(output.status.success());
    let parsed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = &parsed["rows"][0];
    assert_eq!(row["name"], "dmd.fixtures_max_rel_error");
    assert!(row["value"].as_f64().unwrap() < 1e-12);
    assert_eq!(row["n"], 16);
    let (code, message) = fails(binary().args(["fixtures", "Cargo.toml"]));
    assert_eq!(code, 65);
    assert!(one_line(&message).contains("Cargo.toml"), "{message}");
}

#[test]
fn variants_are_scored_on_windows_whose_continuation_is_known() {
    let file = "tests/fixtures/held_phi_averaged.json";
    let output = binary().args(["evaluate", file, "--json"]).output().unwrap();
    assert!(output.status.success());
    let lines: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let figure = |setting: &str, figure: &str| {
        let line = lines.iter().find(|line| line["setting"] == setting).unwrap();
        assert_eq!(line["windows"], 71);
        line[figure]["value"].as_f64().unwrap()
    };
    // Cosines that the reference found on the same windows (docs/method.md section 11).
    for (setting, cosine) in [("AFFINE clip .98", 0.775), ("AFFINE stride 3 clip .99", 0.781)] {
        assert!((figure(setting, "cosine") - cosine).abs() < 0.0006, "{setting}");
    }
    assert_eq!(figure("LAST", "cosine_over_last"), 0.0);
    assert!((figure("LAST", "cosine_over_mean") + figure("MEAN", "cosine_over_last")).abs() < 1e-12);

    let table = binary().args(["evaluate", file]).output().unwrap();
    assert!(
        String::from_utf8(table.stdout)
            .unwrap()
            .contains("| AFFINE stride 3 |")
    );
    let (code, message) = fails(binary().args(["evaluate", "tests/fixtures/dmd.json"]));
    assert_eq!(code, 65);
    assert!(one_line(&message).contains("not a file of windows"), "{message}");
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
        ("window.txt", "1\n", ".csv, .jsonl or .npy"),
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

#[test]
fn benchmarks_can_be_chosen_and_read_by_programs() {
    let output = binary()
        .args(["bench", "--only", "q3_", "--json"])
        .output()
        .unwrap();
    assert!(output.status.success());
    let parsed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(parsed["rows"][0]["name"], "dmd.estimate_q3_p50_us");
    assert!(parsed["rows"][0]["value"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_running_service_can_be_timed() {
    let (_server, address) = Server::start(binary().args(["serve", "--listen", "127.0.0.1:0"]));
    let output = binary()
        .args(["bench", "--address", &address, "--json"])
        .output()
        .unwrap();
    assert!(output.status.success());
    let parsed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(parsed["rows"][0]["name"], "dmd.windows_per_s_q3_c32");
    assert!(parsed["rows"][0]["value"].as_f64().unwrap() > 0.0);
}
