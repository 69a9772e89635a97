//! Whatever a client sends, it gets answers or a precise status, and other clients are left alone.

use crate::support::{TestServer, eventually, messages, patiently, reason, whole_window};
use futures::stream;
use glocal_dmd::server::proto::{
    DmdOptions, EstimateGlocalRequest, EstimateNow, Hypergradient, WindowSpec,
    estimate_glocal_request::Payload,
};
use tonic::Code;

/// Streams that are made up.
const STREAMS: u64 = 300;

/// SplitMix64: the same streams in every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    /// A number of an enumeration with this many, seldom one that it does not have.
    fn choice(&mut self, count: u64) -> i32 {
        let above = if self.one_in(20) { 5 } else { 0 };
        self.below(count + above) as i32
    }

    /// Mostly an ordinary number, sometimes any pattern of bits.
    fn value(&mut self) -> f64 {
        match self.below(200) {
            0 => f64::from_bits(self.next()),
            1..5 => 0.0,
            _ => self.below(2000) as f64 / 1000.0 - 1.0,
        }
    }

    /// Often nothing, mostly something that makes sense.
    fn number(&mut self, sensible: u64) -> Option<u32> {
        match self.below(60) {
            0 => Some(0),
            1 => Some(self.next() as u32),
            2..20 => None,
            _ => Some(1 + self.below(sensible) as u32),
        }
    }
}

/// A window that the maker of a stream believes to be open.
struct Open {
    id: String,
    rows: u32,
    components: u32,
    row: u32,
}

fn spec(chance: &mut Chance) -> WindowSpec {
    WindowSpec {
        rows: chance.number(8).unwrap_or(6),
        components: chance.number(4).unwrap_or(2),
        options: Some(DmdOptions {
            delays: Some(chance.number(3).unwrap_or(2)),
            svd_rank: chance.one_in(4).then(|| chance.value().abs()),
            tolerance: chance.one_in(4).then(|| chance.value().abs()),
            scaling: chance.choice(4),
            include_contributions: chance.one_in(3),
            variant: chance.one_in(2).then(|| chance.choice(8)),
            clip: chance.one_in(4).then(|| chance.value().abs()),
            ridge: chance.one_in(4).then(|| chance.value().abs()),
            last_share: chance.one_in(4).then(|| chance.value().abs()),
            stride: chance.number(4),
            selection: chance.choice(3),
            anchor: chance.choice(3),
        }),
        scales: None,
        prior_norms: (0..chance.below(30)).map(|_| chance.value().abs()).collect(),
    }
}

fn stream_of_messages(chance: &mut Chance) -> Vec<EstimateGlocalRequest> {
    let mut open: Vec<Open> = Vec::new();
    let mut messages = Vec::new();
    for number in 0..chance.below(60) {
        let choice = chance.below(20);
        if open.is_empty() || choice == 0 {
            let spec = spec(chance);
            let id = if chance.one_in(15) {
                String::new()
            } else {
                format!("window {number}")
            };
            open.push(Open {
                id: id.clone(),
                rows: spec.rows,
                components: spec.components,
                row: 0,
            });
            messages.push((id, Some(Payload::Open(spec))));
            continue;
        }
        let at = chance.below(open.len() as u64) as usize;
        let window = &mut open[at];
        let payload = match choice {
            1 => Some(Payload::Estimate(EstimateNow {})),
            2 if chance.one_in(5) => None,
            _ => {
                let length = if chance.one_in(40) {
                    chance.below(64)
                } else {
                    8 * u64::from(window.components.min(100))
                };
                let values: Vec<u8> = (0..length.div_ceil(8))
                    .flat_map(|_| chance.value().to_le_bytes())
                    .take(length as usize)
                    .collect();
                let row = if chance.one_in(60) {
                    chance.next() as u32
                } else {
                    window.row
                };
                window.row += 1;
                Some(Payload::Hypergradient(Hypergradient {
                    row,
                    values: values.into(),
                    first_component: chance.one_in(30).then(|| chance.below(3) as u32),
                }))
            }
        };
        messages.push((window.id.clone(), payload));
        if window.row >= window.rows {
            open.remove(at);
        }
    }
    messages
        .into_iter()
        .map(|(window_id, payload)| EstimateGlocalRequest { window_id, payload })
        .collect()
}

#[tokio::test]
async fn any_stream_of_messages_is_answered_or_refused_for_a_reason() {
    let server = TestServer::start().await;
    let (mut answered, mut refused) = (0, std::collections::BTreeSet::new());
    for seed in 0..STREAMS {
        let messages = stream_of_messages(&mut Chance(seed));
        let call = server.client().estimate_glocal(stream::iter(messages)).await;
        let mut answers = call.unwrap().into_inner();
        loop {
            match patiently(answers.message()).await {
                Ok(Some(answer)) => {
                    let report = answer.report.unwrap();
                    assert!(!report.verdict_reason.is_empty(), "stream {seed}");
                    answered += 1;
                }
                Ok(None) => break,
                Err(status) => {
                    let expected = [Code::InvalidArgument, Code::ResourceExhausted];
                    assert!(expected.contains(&status.code()), "stream {seed}: {status}");
                    refused.insert(reason(&status));
                    break;
                }
            }
        }
    }
    // The streams reach what they are meant to reach.
    assert!(answered > 100, "{answered}");
    assert!(refused.len() >= 8, "{refused:?}");
    // The server is well, and holds nothing.
    server.client().analyze_window(whole_window()).await.unwrap();
    let call = server.client().estimate_glocal(stream::iter(messages("w"))).await;
    assert!(
        patiently(call.unwrap().into_inner().message())
            .await
            .unwrap()
            .is_some()
    );
    eventually(|| async { server.figures().await.contains("glocal_dmd_held_bytes 0\n") }).await;
}
