//! Model files: a file that loads also runs, and its output is finite; everything else is refused with a reason.

use super::{Target, mark};
use sha2::{Digest, Sha256};
use tickline_model::file::{decode, encode};
use tickline_model::{Activation, Contract, Layer, Predictor, TrainingRecord};

/// Files; an odd first byte says that length and checksum of the rest are put right, so that mutations reach what they guard.
pub struct Model;

/// Bytes of the container's header: magic 8, version 4, header length 4, payload length 8, zeros 8, SHA-256 32.
const HEADER_BYTES: usize = 64;

fn model(layers: Vec<Layer>, columns: usize) -> Vec<u8> {
    let sizes = layers.iter().flat_map(|layer| layer.tensors()).map(|tensor| tensor.len());
    let parameters = (0..sizes.sum::<usize>()).map(|nth| nth as f32 * 0.01).collect();
    let whole = tickline_model::Model {
        name: "fuzz".into(),
        contract: Contract::identity(columns),
        layers,
        parameters,
        classes: Vec::new(),
        horizon: 0,
        training: TrainingRecord::default(),
    };
    encode(&whole).expect("a sound model")
}

impl Target for Model {
    fn name(&self) -> &'static str {
        "model"
    }

    fn share(&self) -> u64 {
        3
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let dense = Layer::Dense { inputs: 3, outputs: 2, activation: Activation::Relu };
        let recurrent = Layer::Gru { inputs: 2, units: 2 };
        let small = model(vec![dense], 3);
        let large = model(vec![dense, recurrent], 3);
        vec![[&[1], &small[..]].concat(), [&[1], &large[..]].concat(), [&[0], &small[..]].concat()]
    }

    fn run(&mut self, input: &[u8]) -> Result<u64, String> {
        let Some((&repair, file)) = input.split_first() else { return Ok(0) };
        let mut file = file.to_vec();
        if repair % 2 == 1 && file.len() > HEADER_BYTES {
            let length = (file.len() - HEADER_BYTES) as u64;
            file[16..24].copy_from_slice(&length.to_le_bytes());
            let digest = Sha256::digest(&file[HEADER_BYTES..]);
            file[32..HEADER_BYTES].copy_from_slice(&digest);
        }
        let loaded = match decode(&file) {
            Ok(loaded) => loaded,
            Err(fault) => return Ok(mark(&[2, fault.fault as u64, fault.text.len() as u64])),
        };
        let mut predictor = Predictor::new(&loaded.model)
            .map_err(|fault| format!("loads but does not run: {}", fault.text))?;
        let row = vec![0.5; loaded.model.contract.names.len()];
        let mut out = vec![0.0; loaded.model.outputs()];
        let spoken = predictor.predict(&row, &mut out).is_ok();
        if spoken && !out.iter().all(|value| value.is_finite()) {
            return Err(format!("a prediction that is not finite: {out:?}"));
        }
        Ok(mark(&[1, u64::from(spoken), loaded.model.layers.len() as u64]))
    }
}
