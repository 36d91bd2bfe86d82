//! One setting, from the first of three places that has it.

use oss_credentials_core::Env;

use super::properties::Properties;

/// A setting: the code takes precedence over the environment, and the environment over the file. In code it is a value,
/// elsewhere a text that means nothing yet; an empty text counts as unset.
///
/// No `Debug`: a password may be where its variable's name belongs, and the list of instances may contain one.
#[derive(Clone)]
pub(crate) struct Layered<T> {
    code: Option<T>,
    texts: Texts,
}

/// The places outside of the code, where the setting has one name.
#[derive(Clone)]
pub(crate) struct Texts {
    name: &'static str,
    env: Option<String>,
    file: Option<String>,
}

impl Texts {
    pub(crate) fn read_env(&mut self, env: &dyn Env) {
        self.env = env.non_empty(self.name);
    }

    pub(crate) fn read_file(&mut self, file: &Properties) {
        self.file = file.get(self.name);
    }
}

impl<T> Layered<T> {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            code: None,
            texts: Texts {
                name,
                env: None,
                file: None,
            },
        }
    }

    pub(crate) fn set(&mut self, value: Option<T>) {
        self.code = value;
    }

    /// The value set in code.
    pub(crate) fn code(&self) -> Option<&T> {
        self.code.as_ref()
    }

    pub(crate) fn code_mut(&mut self) -> &mut Option<T> {
        &mut self.code
    }

    pub(crate) fn texts_mut(&mut self) -> &mut Texts {
        &mut self.texts
    }

    /// What the environment says, or the file.
    pub(crate) fn text(&self) -> Option<&str> {
        self.texts.env.as_deref().or(self.texts.file.as_deref())
    }

    /// What the file says.
    #[cfg(test)]
    pub(crate) fn in_file(&self) -> Option<&str> {
        self.texts.file.as_deref()
    }

    /// The value set in code, or what the text means.
    pub(crate) fn resolve<E>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<Option<T>, E>
    where
        T: Clone,
    {
        match &self.code {
            Some(value) => Ok(Some(value.clone())),
            None => self.text().map(parse).transpose(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oss_credentials_core::test_util::FakeEnv;

    #[test]
    fn the_code_goes_before_the_environment_and_that_before_the_file() {
        let mut setting = Layered::new("a");
        let value = |setting: &Layered<usize>| setting.resolve(str::parse).unwrap();
        assert_eq!(value(&setting), None);
        setting.texts_mut().read_file(&Properties::parse(b"a=1").unwrap());
        assert_eq!((value(&setting), setting.in_file()), (Some(1), Some("1")));
        setting.texts_mut().read_env(&FakeEnv::new().with("a", ""));
        assert_eq!(value(&setting), Some(1));
        setting.texts_mut().read_env(&FakeEnv::new().with("a", "2"));
        assert_eq!(value(&setting), Some(2));
        setting.set(Some(3));
        assert_eq!((value(&setting), setting.text()), (Some(3), Some("2")));
        setting.set(None);
        setting.texts_mut().read_env(&FakeEnv::new().with("a", "x"));
        assert!(setting.resolve(str::parse).is_err());
    }
}
