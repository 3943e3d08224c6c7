//! The closed registry of scoring methods. Comes in: the files of this version of the contract, and versions that a method's
//! owner signed. Goes out: a method by name and version. Must never hold two documents under one name and version, nor a name
//! that the contract does not have.

use std::{collections::BTreeMap, sync::LazyLock};

use super::parameters::Method;
use crate::{
    reason::{Invalid, Reason, quoted},
    seal::PublicKey,
    wire,
};

macro_rules! files {
    ($($id:literal)*) => {
        [$(($id, include_bytes!(concat!("../../codes/methods/", $id, ".json")).as_slice())),*]
    };
}

/// The methods that this version of the contract carries, in the order of domain.md §2.9.
const FILES: [(&str, &[u8]); 7] = files! {
    "RISK-5X5-C" "SLEIPNIR-19" "HLO" "CHI-R" "OCINDEX-STYLE" "CIRAM-3" "SOCTA-ALIGNED"
};

static BUILTIN: LazyLock<Methods> = LazyLock::new(|| {
    let mut methods = Methods::default();
    for (id, bytes) in FILES {
        #[expect(
            clippy::expect_used,
            reason = "compiled-in files, loaded by a test of this module"
        )]
        let method = Method::read(id, bytes).expect("the methods in proto/codes are well-formed");
        methods.0.insert((method.id().to_owned(), version(&method)), method);
    }
    methods
});

type Version = [u32; 3];

/// Methods by name and version.
#[derive(Clone, Debug, Default)]
pub struct Methods(BTreeMap<(String, Version), Method>);

impl Methods {
    /// The methods of this version of the contract.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Adds a version that the owner of the methods signed. Whoever names no key of an owner believes none.
    pub fn with(
        mut self,
        envelope: &wire::Envelope,
        owners: &[PublicKey],
        field: &str,
    ) -> Result<Self, Invalid> {
        let method = Method::open(envelope, owners, field)?;
        let refuse = |detail: String| Err(Invalid::new(Reason::MethodUnfit, field, detail));
        let known = self.0.values().find(|known| known.id() == method.id());
        let Some(known) = known else {
            return refuse(format!("{} is not in the registry", quoted(method.id())));
        };
        if known.formula().kind() != method.formula().kind() || known.subject() != method.subject()
        {
            return refuse(format!("{} has another formula or another subject", method.id()));
        }
        let key = (method.id().to_owned(), version(&method));
        if self.0.get(&key).is_some_and(|known| known.digest() != method.digest()) {
            let detail = "stands for other parameters already: give a new version";
            return refuse(format!("{} {} {detail}", method.id(), method.version()));
        }
        self.0.insert(key, method);
        Ok(self)
    }

    /// A method; without a version, the newest one.
    pub fn find(&self, field: &str, id: &str, version: Option<&str>) -> Result<&Method, Invalid> {
        let of = self.0.values().filter(|method| method.id() == id);
        let mut of = of.filter(|method| version.is_none_or(|version| method.version() == version));
        of.next_back().ok_or_else(|| {
            let has: Vec<_> =
                self.iter().map(|method| format!("{} {}", method.id(), method.version())).collect();
            let asked = format!("{id} {}", version.unwrap_or_default());
            let detail = format!("{} is none of {}", quoted(asked.trim_end()), has.join(", "));
            Invalid::new(Reason::CodeUnknown, field, detail)
        })
    }

    /// Every method, by name and version.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Method> {
        self.0.values()
    }
}

/// As numbers: 1.10.0 comes after 1.9.0.
fn version(method: &Method) -> Version {
    let mut parts = method.version().split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}
