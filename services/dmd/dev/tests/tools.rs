//! The developer tools as a process.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::{Command, Output, Stdio};

use glocal_dmd::server::{self, Listeners, config::Config, security::Security};
use tokio::{net::TcpListener, sync::oneshot};

fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_glocal-dmd-dev"))
}

/// Runs to the end and returns the exit code and standard error, which is one line.
fn fails(command: &mut Command) -> (i32, String) {
    let Output { status, stderr, .. } = command.stdin(Stdio::null()).output().unwrap();
    let message = String::from_utf8(stderr).unwrap();
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    (status.code().unwrap(), message)
}

#[test]
fn the_fixtures_are_compared_from_the_command_line() {
    let output = binary()
        .args(["fixtures", "../tests/fixtures/dmd.json", "--json"])
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
    assert!(message.contains("Cargo.toml"), "{message}");
}

#[test]
fn variants_are_scored_on_windows_whose_continuation_is_known() {
    let file = "../tests/fixtures/held_phi_averaged.json";
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
    let (code, message) = fails(binary().args(["evaluate", "../tests/fixtures/dmd.json"]));
    assert_eq!(code, 65);
    assert!(message.contains("not a file of windows"), "{message}");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_running_service_can_be_timed() {
    let grpc = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = grpc.local_addr().unwrap().to_string();
    let listeners = Listeners { grpc, metrics: None };
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let service = server::run(
        listeners,
        Config::default(),
        Security::default(),
        shutdown,
        |_| {},
    );
    let service = tokio::spawn(service);
    let timed = move || binary().args(["bench", "--address", &address, "--json"]).output();
    let output = tokio::task::spawn_blocking(timed).await.unwrap().unwrap();
    assert!(output.status.success());
    let parsed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(parsed["rows"][0]["name"], "dmd.windows_per_s_q3_c32");
    assert!(parsed["rows"][0]["value"].as_f64().unwrap() > 0.0);
    drop(stop);
    service.await.unwrap().unwrap();
}
