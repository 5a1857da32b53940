//! Model files: a file that loads also runs, and its output is finite; everything else is refused with a reason.

use super::{Target, mark};
use sha2::{Digest, Sha256};
use tickline_model::file::{decode, encode};
use tickline_model::{Activation, Architecture, Gate, Layer, Plan, Predictor, Reset, zoo};

/// Files; an odd first byte says that length and checksum of the rest are put right, so that mutations reach what they guard.
pub struct Model;

/// Bytes of the container's header: magic 8, version 4, header length 4, payload length 8, zeros 8, SHA-256 32.
const HEADER_BYTES: usize = 64;

fn model(net: Architecture) -> Vec<u8> {
    let count = Plan::compile(&net).expect("a sound network").parameters();
    let parameters = (0..count).map(|nth| nth as f32 * 0.01).collect();
    encode(&tickline_model::Model::bare("fuzz", net, parameters)).expect("a sound model")
}

impl Target for Model {
    fn name(&self) -> &'static str {
        "model"
    }

    fn share(&self) -> u64 {
        3
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let dense = Layer::Dense { outputs: 2, activation: Activation::Relu };
        let small = model(Architecture::chain(3, &[dense]));
        let mut recurrent = Architecture::stateful(3);
        recurrent.then(dense);
        recurrent.then(Layer::Gru { units: 2, gate: Gate::Sigmoid, reset: Reset::Before });
        let large = model(recurrent);
        let window = model(zoo::bin_c_tabl(2, 2, 3, 0.1));
        vec![
            [&[1], &small[..]].concat(),
            [&[1], &large[..]].concat(),
            [&[1], &window[..]].concat(),
            [&[0], &small[..]].concat(),
        ]
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
        Ok(mark(&[1, u64::from(spoken), loaded.model.architecture.nodes.len() as u64]))
    }
}
