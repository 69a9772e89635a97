//! Variables under the service's prefix that are not settings of it.

use std::env;

/// Prefix of the environment variables; a section is separated by two underscores (`GLOCAL_DMD_LIMITS__MAX_ROWS`).
pub const ENV_PREFIX: &str = "GLOCAL_DMD_";

/// Settings, after the prefix, of those who use or start the service.
const OF_CALLERS: [&str; 4] = ["ADDRESS", "BINARY", "CONFIG", "RETRY_SECONDS"];

/// Variables of the process that are to be left alone, without the prefix.
pub(super) fn ignored() -> Vec<String> {
    let links = service_links(variables()).into_iter();
    let links = links.filter_map(|name| name.strip_prefix(ENV_PREFIX).map(str::to_owned));
    OF_CALLERS.map(str::to_owned).into_iter().chain(links).collect()
}

/// Says which variables are taken for Kubernetes's. Once the log is there.
pub fn warn_of_service_links() {
    let links = service_links(variables());
    if !links.is_empty() {
        tracing::warn!(
            variables = links.join(", "),
            "left alone, as Kubernetes sets them for a Service of this name; enableServiceLinks: false keeps them out"
        );
    }
}

/// Names and values. Settings are Unicode; what is not is left out.
fn variables() -> impl Iterator<Item = (String, String)> {
    env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Names of variables that Kubernetes gives every pod for a Service whose name begins with `glocal-dmd`, sorted.
fn service_links(variables: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut links: Vec<String> = variables
        .filter(|(name, value)| {
            // The underscore belongs to what follows: the Service may have a longer name.
            name.strip_prefix(&ENV_PREFIX[..ENV_PREFIX.len() - 1])
                .is_some_and(|rest| is_service_link(rest, value))
        })
        .map(|(name, _)| name)
        .collect();
    links.sort();
    links
}

/// Whether a variable is one of those of a Service: `_SERVICE_HOST`, `_SERVICE_PORT`, `_SERVICE_PORT_NAME`, `_PORT` with
/// an address, `_PORT_50062_TCP`, and `_ADDR`, `_PORT` and `_PROTO` after that.
fn is_service_link(name: &str, value: &str) -> bool {
    let protocols = ["TCP", "UDP", "SCTP"];
    if name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT") || name.contains("_SERVICE_PORT_") {
        return true;
    }
    if name.ends_with("_PORT")
        && protocols.iter().any(|protocol| {
            value
                .strip_prefix(&protocol.to_lowercase())
                .is_some_and(|rest| rest.starts_with("://"))
        })
    {
        return true;
    }
    let of_port = ["_ADDR", "_PORT", "_PROTO"]
        .iter()
        .find_map(|part| name.strip_suffix(part))
        .unwrap_or(name);
    let Some((before, protocol)) = of_port.rsplit_once('_') else {
        return false;
    };
    let Some((before, number)) = before.rsplit_once('_') else {
        return false;
    };
    protocols.contains(&protocol)
        && before.ends_with("_PORT")
        && !number.is_empty()
        && number.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(variables: &[(&str, &str)]) -> Vec<String> {
        service_links(
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    #[test]
    fn what_kubernetes_sets_for_a_service_is_recognised() {
        let all = [
            ("GLOCAL_DMD_METRICS_SERVICE_HOST", "10.0.0.8"),
            ("GLOCAL_DMD_PORT", "tcp://10.0.0.7:50062"),
            ("GLOCAL_DMD_PORT_50062_TCP", "tcp://10.0.0.7:50062"),
            ("GLOCAL_DMD_PORT_50062_TCP_ADDR", "10.0.0.7"),
            ("GLOCAL_DMD_PORT_50062_TCP_PORT", "50062"),
            ("GLOCAL_DMD_PORT_50062_TCP_PROTO", "tcp"),
            ("GLOCAL_DMD_PORT_53_UDP", "udp://10.0.0.7:53"),
            ("GLOCAL_DMD_SERVICE_HOST", "10.0.0.7"),
            ("GLOCAL_DMD_SERVICE_PORT", "50062"),
            ("GLOCAL_DMD_SERVICE_PORT_GRPC", "50062"),
        ];
        assert_eq!(links(&all), all.map(|(name, _)| name));
    }

    #[test]
    fn settings_and_misspelt_ones_are_not() {
        let none = [
            ("GLOCAL_DMD_PORT", "50062"),
            ("GLOCAL_DMD_PORTS", "tcp://10.0.0.7:50062"),
            ("GLOCAL_DMD_PORT_X_TCP", "tcp://10.0.0.7:50062"),
            ("GLOCAL_DMD_PORT_50062_TCP_HOST", "10.0.0.7"),
            ("GLOCAL_DMD_LISTEN", "127.0.0.1:0"),
            ("GLOCAL_DMD_LISTN", "127.0.0.1:0"),
            ("GLOCAL_DMD_SERVICE", "10.0.0.7"),
            ("GLOCAL_DMD_LIMITS__MAX_ROWS", "10"),
            ("GLOCAL_SERVICE_HOST", "10.0.0.7"),
        ];
        assert_eq!(links(&none), [""; 0]);
    }
}
