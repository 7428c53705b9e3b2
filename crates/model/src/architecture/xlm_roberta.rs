//! XLM-RoBERTa for sequence classification (bge-reranker-v2-m3, -large, -base). Its arithmetic and
//! its tensor names are RoBERTa's; what differs (vocabulary, positions, one token type) stands in
//! `config.json`.

pub(crate) use super::roberta::Roberta as XlmRoberta;
