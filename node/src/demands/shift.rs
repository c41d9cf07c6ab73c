//! What moves the duty to show an output from the worker to its manager: pure.

use alloy::{primitives::B256, sol_types::SolCall};

use super::answer::{AnswerError, Question, shown_leaf};
use crate::{
    api::types::SignedReceipt,
    chain::{
        Call,
        bindings::{demands as sol, recode},
        evidence,
    },
};

/// The call that shows the manager's receipt of the interval that an output is asked of.
///
/// # Errors
///
/// [`AnswerError::NoSuchPlace`], [`AnswerError::NoSignature`], [`AnswerError::Tree`], [`AnswerError::Chain`].
pub(crate) fn shift(question: &Question<'_>, receipt: &SignedReceipt) -> Result<Call, AnswerError> {
    let signature = receipt.signature.as_ref();
    let (Some(r), Some(vs), 64) = (signature.get(..32), signature.get(32..), signature.len())
    else {
        return Err(AnswerError::NoSignature);
    };
    let Question { claim, demand, .. } = *question;
    let call = sol::shiftToManagerCall {
        target: recode(&evidence::line_ref(claim, usize::from(demand.lineIndex))?)?,
        demand: demand.clone(),
        leaf: shown_leaf(question)?,
        receipt: recode(&receipt.receipt)?,
        signature: sol::Signature {
            r: B256::from_slice(r),
            vs: B256::from_slice(vs),
        },
    };
    Ok(Call::new(question.deployment.demands, call.abi_encode()))
}
