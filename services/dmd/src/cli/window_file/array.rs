//! A NumPy array of rows by components.

use std::io;

use npyz::{NpyFile, Order};

use super::fault::Fault;

/// Number of components, and the rows one after the other.
pub(super) fn read(bytes: &[u8]) -> Result<(usize, Vec<f64>), Fault> {
    const PLACE: &str = "the array";
    let fault = |error: io::Error| Fault::new(PLACE, error);
    let file = NpyFile::new(bytes).map_err(fault)?;
    let (rows, components) = match *file.shape() {
        [rows] => (rows, 1),
        [rows, components] => (rows, components),
        ref other => {
            return Err(Fault::new(
                PLACE,
                format!("has the shape {other:?}; rows x components is expected"),
            ));
        }
    };
    let by_columns = file.order() == Order::Fortran;
    let values = match file.try_data::<f64>() {
        Ok(data) => data.collect::<Result<Vec<f64>, _>>().map_err(fault)?,
        Err(file) => file
            .data::<f32>()
            .map_err(|_| Fault::new(PLACE, "does not hold float64 or float32 values"))?
            .map(|value| value.map(f64::from))
            .collect::<Result<_, _>>()
            .map_err(fault)?,
    };
    let (rows, components) = (rows as usize, components as usize);
    if by_columns {
        let by_rows = (0..rows * components).map(|i| values[(i % components) * rows + i / components]);
        return Ok((components, by_rows.collect()));
    }
    Ok((components, values))
}
