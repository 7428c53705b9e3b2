use std::io::Write;

use anyhow::Result;
use secondpass_core::{BillingUnit, Reranker, Tariff};
use secondpass_evaluation::prices::{Listed, PriceTable};
use secondpass_http::{Rates, Timeouts};
use secondpass_rerankers::hosted::{
    Guess, KeyKind, OpenError, OpenSettings, Options, PROVIDERS, Provider, Through, Tier, check,
    open, provider,
};
use serde_json::{Value, json};

use crate::args::{ProvidersArgs, ProvidersCheckArgs, ProvidersCommand};
use crate::exit::usage;
use crate::hosted::Shared;
use crate::note::note;
use crate::table::table;
use crate::{prices, progress};

/// Lists hosted rerankers, or tries one.
pub fn run(args: &ProvidersArgs) -> Result<()> {
    let prices = prices::table(None, args.prices.as_deref())?;
    match &args.command {
        None if args.json => list_json(&prices),
        None => list(&prices),
        Some(ProvidersCommand::Check(checked)) => try_one(args, checked, prices),
    }
}

fn list(prices: &PriceTable) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let mut rows =
        table(&["name", "what", "key", "address", "region", "limits a minute"], |_| false);
    for known in PROVIDERS {
        rows.add_row([
            known.kind.to_owned(),
            known.title.to_owned(),
            key(known),
            known.base_url.unwrap_or("your own").to_owned(),
            region(known),
            limits(known.tiers),
        ]);
    }
    writeln!(out, "{rows}\n")?;
    let mut rows =
        table(&["provider", "model", "price in US dollars", "read", "source"], |_| false);
    for known in PROVIDERS {
        let listed: Vec<&Listed> =
            prices.prices().filter(|listed| listed.provider == known.kind).collect();
        for price in &listed {
            let amount = amount(price);
            rows.add_row([known.kind, &price.model, &amount, &price.read, &price.source]);
        }
        if listed.is_empty() {
            let unknown = match known.self_hosted {
                true => "not billed by the call",
                false => "unknown",
            };
            rows.add_row([known.kind, "*", unknown, "", ""]);
        }
    }
    writeln!(
        out,
        "{rows}\nKeys come from the environment or --key-file. Prices of your own go into {}.",
        prices::user_file()
            .map_or("a file for --prices".to_owned(), |file| file.display().to_string())
    )?;
    Ok(())
}

fn key(known: &Provider) -> String {
    let names = known.key_variables.join(match known.key_kind {
        KeyKind::SigV4 => " and ",
        KeyKind::Bearer | KeyKind::Header(_) => " or ",
    });
    match known.key_found() {
        Some(true) => "found".to_owned(),
        Some(false) => format!("not found: {names}"),
        None => "none needed".to_owned(),
    }
}

fn region(known: &Provider) -> String {
    match (known.self_hosted, known.region) {
        (true, _) => "self-hosted".to_owned(),
        (false, region) => region.unwrap_or("unknown").to_owned(),
    }
}

fn limits(tiers: &[Tier]) -> String {
    let shown: Vec<String> = tiers.iter().map(limit).collect();
    match shown.is_empty() {
        true => "unknown".to_owned(),
        false => shown.join("\n"),
    }
}

fn limit(tier: &Tier) -> String {
    let requests = tier.requests.map(|count| format!("{count} requests"));
    let tokens = tier.tokens.map(|count| format!("{count} tokens"));
    let at_once = tier.in_flight.map(|count| format!("{count} at once"));
    let parts: Vec<String> = requests.into_iter().chain(tokens).chain(at_once).collect();
    format!("{}: {}", tier.name, parts.join(", "))
}

fn amount(price: &Listed) -> String {
    match (price.unit, price.per) {
        (unit, 1.0) => format!("{} a {}", price.usd, unit.singular()),
        (BillingUnit::Token, 1e6) => format!("{} a million tokens", price.usd),
        (unit, per) => format!("{} for {per} {unit}", price.usd),
    }
}

fn list_json(prices: &PriceTable) -> Result<()> {
    let one = |known: &Provider| {
        let listed = prices.prices().filter(|listed| listed.provider == known.kind);
        let prices: Vec<Value> = listed
            .map(|price| {
                json!({
                    "model": price.model, "unit": price.unit, "usd": price.usd, "per": price.per,
                    "read": price.read, "source": price.source, "note": price.note,
                })
            })
            .collect();
        let tiers: Vec<Value> = known
            .tiers
            .iter()
            .map(|tier| {
                json!({
                    "name": tier.name, "requests_per_minute": tier.requests,
                    "tokens_per_minute": tier.tokens, "in_flight": tier.in_flight,
                })
            })
            .collect();
        json!({
            "name": known.kind, "title": known.title, "base_url": known.base_url,
            "key_variables": known.key_variables, "key_found": known.key_found(),
            "self_hosted": known.self_hosted, "region": known.region,
            "retention": known.retention, "tiers": tiers, "prices": prices, "docs": known.docs,
        })
    };
    let all: Vec<Value> = PROVIDERS.iter().map(one).collect();
    writeln!(std::io::stdout().lock(), "{}", serde_json::to_string_pretty(&all)?)?;
    Ok(())
}

fn try_one(args: &ProvidersArgs, checked: &ProvidersCheckArgs, prices: PriceTable) -> Result<()> {
    let context = progress::cancellable();
    let known = provider(&checked.name)
        .ok_or_else(|| OpenError::Provider(checked.name.clone()))
        .map_err(usage)?;
    let shared = Shared {
        prices,
        key_files: &args.key_file,
        recording: None,
        context: &context,
        read: Default::default(),
    };
    let tariff = shared.tariff(known, checked.model.as_deref())?;
    let settings = OpenSettings {
        name: known.kind.to_owned(),
        provider: known.kind.to_owned(),
        base_url: checked.base_url.clone(),
        key: shared.key(known.kind)?,
        key_env: None,
        options: Options {
            model: checked.model.clone(),
            region: checked.region.clone(),
            ..Options::default()
        },
        rates: Rates::default(),
        // The first failure is what the user wants to see.
        attempts: Some(1),
        timeouts: Timeouts::default(),
        through: Through::Network,
        tariff: tariff.clone(),
        tokens: Box::new(Guess),
        concurrency: 1,
    };
    let hosted = open(settings, &context).map_err(|error| match error {
        OpenError::Info(_) => anyhow::Error::from(error),
        OpenError::Option(error) => usage(anyhow::anyhow!(
            "--{} is {}: {}",
            error.key.replace('_', "-"),
            error.found.as_deref().unwrap_or("missing"),
            error.allowed
        )),
        OpenError::NoBaseUrl(title, example) => {
            usage(anyhow::anyhow!("{title} is at an address of your own: --base-url {example}"))
        }
        error => usage(error),
    })?;
    let answer = check(&hosted, &context).map_err(|failed| failed.error)?;
    let billed = answer.reranked.usage.billed.units();
    let mut out = std::io::stdout().lock();
    if args.json {
        let shown = json!({
            "identity": hosted.identity(), "destination": hosted.destination(),
            "origin": answer.reranked.origin, "timings": answer.reranked.timings,
            "in_order": answer.in_order, "billed": answer.reranked.usage.billed,
            "tariff": tariff,
        });
        writeln!(out, "{}", serde_json::to_string_pretty(&shown)?)?;
    } else {
        writeln!(
            out,
            "{} at {} answered in {:.0} ms: model '{}'{}",
            known.title,
            hosted.client().base_url(),
            answer.reranked.timings.total().as_secs_f64() * 1e3,
            hosted.identity().model,
            billing(tariff.as_ref(), billed)
        )?;
    }
    if !answer.reranked.origin.is_live() {
        note("this is an imitation: its scores are made up");
    }
    if !answer.in_order {
        note(
            "warning: the document that does not answer came first; check that the model is a \
             reranker",
        );
    }
    Ok(())
}

fn billing(tariff: Option<&Tariff>, units: u64) -> String {
    let Some(tariff) = tariff else { return String::new() };
    let name = match units {
        1 => tariff.unit.singular().to_owned(),
        _ => tariff.unit.to_string(),
    };
    match tariff.cost(units) {
        Some(usd) => format!(", {units} {name} billed ({usd:.6} USD)"),
        None => format!(", {units} {name} billed (price unknown)"),
    }
}
