//! Bodies made of commands: requests as a client makes them, with a mistake here and there. Bytes chosen at random seldom
//! get past framing and protobuf.

use arbitrary::{Result, Unstructured};
use glocal_dmd::server::proto::{
    AnalyzeWindowRequest, DmdOptions, EstimateGlocalRequest, EstimateNow, Hypergradient, WindowSpec,
    estimate_glocal_request::Payload,
};
use prost::Message;

use super::wire;

/// Components of which four rows are enough values for the service to compress them before the others come.
pub const MANY: u32 = 17_000;

/// A body of AnalyzeWindow.
///
/// # Errors
/// None in practice: where bytes are missing, zeros are taken.
pub fn analyze_window(mut source: Unstructured) -> Result<Vec<u8>> {
    let u = &mut source;
    let mistake = u.arbitrary::<u8>()?;
    let spec = spec(u)?;
    let mut hypergradients = Vec::new();
    for t in 0..spec.rows.min(32) {
        hypergradients.extend(row(u, spec.components, t)?);
    }
    if mistake == 1 {
        hypergradients.pop();
    }
    let request = AnalyzeWindowRequest {
        spec: (mistake != 2).then_some(spec),
        hypergradients: hypergradients.into(),
    };
    let mut body = wire::frame(&request.encode_to_vec());
    match mistake {
        3 => body.truncate(body.len() / 2),
        4 => body.extend_from_within(..),
        5 => body.clear(),
        _ => {}
    }
    Ok(body)
}

/// A body of EstimateGlocal.
///
/// # Errors
/// None in practice: where bytes are missing, zeros are taken.
pub fn estimate_glocal(mut source: Unstructured) -> Result<Vec<u8>> {
    let mut client = Client::default();
    while !source.is_empty() {
        client.command(&mut source)?;
    }
    Ok(client.body)
}

/// A window that the client believes to be open.
struct Open {
    id: String,
    rows: u32,
    components: u32,
    row: u32,
    /// Components of this row that have been sent.
    sent: u32,
}

#[derive(Default)]
struct Client {
    open: Vec<Open>,
    body: Vec<u8>,
}

impl Client {
    fn command(&mut self, u: &mut Unstructured) -> Result<()> {
        let (command, name) = (u.arbitrary::<u8>()?, usize::from(u.arbitrary::<u8>()?));
        let Some(at) = name.checked_rem(self.open.len()) else {
            return self.open(u, short_id(name));
        };
        let window = &mut self.open[at];
        let id = window.id.clone();
        match command {
            // The rest of the window.
            0..60 => {
                while window.row < window.rows.min(32) {
                    let values = row(u, window.components, window.row)?;
                    let payload = window.whole(values);
                    push(&mut self.body, &id, Some(payload));
                }
            }
            60..130 => {
                let values = row(u, window.components, window.row)?;
                let payload = window.whole(values);
                push(&mut self.body, &id, Some(payload));
            }
            130..170 => {
                let count = u.int_in_range(1..=window.components.clamp(1, 4))?;
                let payload = window.part(row(u, count, window.row)?, count);
                push(&mut self.body, &id, Some(payload));
            }
            170..190 => push(&mut self.body, &id, Some(Payload::Estimate(EstimateNow {}))),
            190..220 => self.open(u, short_id(name))?,
            220..254 => self.mistake(u, command, at)?,
            // Whatever comes.
            254 => {
                let length = usize::from(u.arbitrary::<u8>()?).min(u.len());
                self.body.extend(wire::frame(u.bytes(length)?));
            }
            255 => {
                let length = usize::from(u.arbitrary::<u8>()?).min(u.len());
                self.body.extend(u.bytes(length)?);
            }
        }
        self.open.retain(|window| window.row < window.rows);
        Ok(())
    }

    fn open(&mut self, u: &mut Unstructured, id: String) -> Result<()> {
        let spec = spec(u)?;
        push(&mut self.body, &id, Some(Payload::Open(spec.clone())));
        self.open.push(Open {
            id,
            rows: spec.rows,
            components: spec.components,
            row: 0,
            sent: 0,
        });
        Ok(())
    }

    /// One message, or the end of one, that is wrong.
    fn mistake(&mut self, u: &mut Unstructured, which: u8, at: usize) -> Result<()> {
        let window = &mut self.open[at];
        let (id, amount) = (window.id.clone(), u.arbitrary::<u8>()?);
        let values = row(u, window.components, window.row)?;
        let number = window.row;
        match which % 10 {
            0 => {
                window.row = number.wrapping_add(u32::from(amount));
                let payload = window.whole(values);
                push(&mut self.body, &id, Some(payload));
            }
            1 => {
                let short = values[..values.len().saturating_sub(usize::from(amount))].to_vec();
                let payload = window.whole(short);
                push(&mut self.body, &id, Some(payload));
            }
            2 => {
                let long = [values, vec![0; usize::from(amount)]].concat();
                let payload = window.whole(long);
                push(&mut self.body, &id, Some(payload));
            }
            3 => {
                let mut values = values;
                let not_finite = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][usize::from(amount) % 3];
                if let Some(last) = values.last_chunk_mut::<8>() {
                    *last = not_finite.to_le_bytes();
                }
                let payload = window.whole(values);
                push(&mut self.body, &id, Some(payload));
            }
            4 => push(&mut self.body, &id, None),
            5 => {
                let payload = window.whole(values);
                push(&mut self.body, &long_id(amount), Some(payload));
            }
            6 => self.open(u, long_id(amount))?,
            // The stream ends in the middle of a message.
            7 => {
                let kept = self.body.len().saturating_sub(usize::from(amount));
                self.body.truncate(kept);
                u.bytes(u.len())?;
            }
            // The client closes its side here.
            8 => drop(u.bytes(u.len())?),
            // The parts do not fit together.
            _ => {
                window.sent = u32::from(amount);
                let payload = window.part(values, window.components);
                push(&mut self.body, &id, Some(payload));
            }
        }
        Ok(())
    }
}

impl Open {
    fn whole(&mut self, values: Vec<u8>) -> Payload {
        let row = self.row;
        self.row = row.saturating_add(1);
        Payload::Hypergradient(Hypergradient {
            row,
            values: values.into(),
            first_component: None,
        })
    }

    fn part(&mut self, values: Vec<u8>, count: u32) -> Payload {
        let (row, first) = (self.row, self.sent);
        self.sent = first.saturating_add(count);
        if self.sent >= self.components {
            (self.row, self.sent) = (row.saturating_add(1), 0);
        }
        Payload::Hypergradient(Hypergradient {
            row,
            values: values.into(),
            first_component: Some(first),
        })
    }
}

fn short_id(name: usize) -> String {
    format!("w{}", name % 8)
}

/// An id that is not easily put into a message, and may have more characters than are allowed.
fn long_id(length: u8) -> String {
    let length = usize::from(length);
    ["w", "\u{1}", "é", "\u{10ffff}"][length % 4].repeat(length)
}

fn push(body: &mut Vec<u8>, id: &str, payload: Option<Payload>) {
    let request = EstimateGlocalRequest {
        window_id: id.to_owned(),
        payload,
    };
    body.extend(wire::frame(&request.encode_to_vec()));
}

/// Mostly a small window with valid options.
fn spec(u: &mut Unstructured) -> Result<WindowSpec> {
    let set = u.arbitrary::<u16>()?;
    let on = |bit: u8| set & (1 << bit) != 0;
    let options = DmdOptions {
        delays: Some(number(u, 3)?),
        variant: if on(0) { Some(choice(u, 8)?) } else { None },
        stride: if on(1) { Some(number(u, 4)?) } else { None },
        scaling: if on(2) { choice(u, 4)? } else { 0 },
        include_contributions: on(3),
        svd_rank: if on(4) { Some(setting(u)?) } else { None },
        tolerance: if on(5) { Some(setting(u)?) } else { None },
        clip: if on(6) { Some(setting(u)?) } else { None },
        ridge: if on(6) { Some(setting(u)?) } else { None },
        last_share: if on(6) { Some(setting(u)?) } else { None },
        selection: if on(8) { choice(u, 3)? } else { 0 },
        anchor: if on(9) { choice(u, 3)? } else { 0 },
    };
    let rows = number(u, 12)?;
    let components = if on(11) && u.ratio(1, 50)? {
        MANY
    } else {
        number(u, 6)?
    };
    let prior_norms = if on(7) {
        let count = u.arbitrary::<u8>()?;
        let norm = |i: u8| if i == 60 { f64::NAN } else { f64::from(i % 3) };
        (0..if count < 250 { count % 40 } else { count })
            .map(norm)
            .collect()
    } else {
        Vec::new()
    };
    let scales = if on(10) {
        Some(scales(u, components)?.into())
    } else {
        None
    };
    Ok(WindowSpec {
        rows,
        components,
        options: Some(options),
        prior_norms,
        scales,
    })
}

/// Components that are sent where a specification has this many; it is refused where they are fewer.
fn sendable(components: u32) -> u32 {
    if components > MANY { 1 } else { components }
}

/// Mostly a size above 0 for each component.
fn scales(u: &mut Unstructured, components: u32) -> Result<Vec<u8>> {
    let kind = u.arbitrary::<u8>()?;
    let components = sendable(components);
    let count = components.saturating_sub(u32::from(kind == 255));
    let size = |component: u32| match kind {
        240 => 0.0,
        241 => f64::NAN,
        242 => 1e300,
        243 => 5e-324,
        _ => f64::from(1 + (u32::from(kind) + component) % 4),
    };
    Ok((0..count)
        .flat_map(|component| size(component).to_le_bytes())
        .collect())
}

/// 1 to `sensible`, seldom any number.
fn number(u: &mut Unstructured, sensible: u32) -> Result<u32> {
    match u.arbitrary::<u8>()? {
        250.. => u.arbitrary(),
        byte => Ok(1 + u32::from(byte) % sensible),
    }
}

/// A number of an enumeration with this many, seldom one that it does not have.
fn choice(u: &mut Unstructured, count: i32) -> Result<i32> {
    match u.arbitrary::<u8>()? {
        250.. => u.arbitrary(),
        byte => Ok(i32::from(byte) % count),
    }
}

/// An option: mostly a share, sometimes a whole number, seldom anything.
fn setting(u: &mut Unstructured) -> Result<f64> {
    match u.arbitrary::<u8>()? {
        250.. => u.arbitrary(),
        byte @ 200.. => Ok(f64::from(byte - 200) - 1.0),
        byte => Ok(f64::from(byte + 1) / 256.0),
    }
}

/// Row `t`: mostly a sum of a constant and a mode for each component, sometimes anything.
fn row(u: &mut Unstructured, components: u32, t: u32) -> Result<Vec<u8>> {
    const EIGENVALUES: [f64; 6] = [0.5, 0.9, -0.8, 1.0, 1.5, -1.0];
    let kind = u.arbitrary::<u8>()?;
    let components = sendable(components);
    let mut values = Vec::new();
    for component in 0..components {
        let seed = u32::from(kind) + component;
        let mode = EIGENVALUES[(seed % 6) as usize].powi(i32::try_from(t).unwrap_or(i32::MAX));
        let value = match kind {
            0..200 => f64::from(component) - 1.0 + mode,
            200..210 => 0.0,
            210..220 => mode * 1e300,
            220..230 => mode * 1e-300,
            230.. => u.arbitrary()?,
        };
        values.extend(value.to_le_bytes());
    }
    Ok(values)
}
