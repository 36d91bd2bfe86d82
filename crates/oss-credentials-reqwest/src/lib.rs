//! The HttpClient of the credential providers over reqwest.
