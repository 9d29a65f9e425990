//! One request and its answer: sent only while the link is up, and ended by whatever dooms it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Message, Request, RequestErrorKind};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Nats, Session, wire};
use crate::jetstream::{Link, RequestError};

/// What ends a request under way before its timeout.
#[derive(Clone, Debug)]
pub(super) enum Abort {
    Disconnected,
    /// The server denies to publish on that subject.
    Denied {
        subject: String,
    },
}

/// An answer, which is read where it lies.
pub(super) struct Answer {
    subject: String,
    payload: Bytes,
}

impl Answer {
    /// What it says, its error first.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, RequestError> {
        wire::read(&self.payload, &self.subject)
    }
}

impl Nats {
    /// One request, named by what comes after the API's prefix, unless the link is down.
    pub(super) async fn request<T: DeserializeOwned>(
        &self,
        verb: &str,
        payload: Bytes,
    ) -> Result<T, RequestError> {
        self.ask(verb, payload, self.timeout).await?.read()
    }

    /// The same, with a wait of its own for the answer, which is still to be read: a page of a list
    /// is long, and is not copied.
    pub(super) async fn ask(
        &self,
        verb: &str,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<Answer, RequestError> {
        let session = self.up()?;
        self.ask_in(&session, verb, payload, timeout).await
    }

    /// The session, unless the link is down.
    pub(super) fn up(&self) -> Result<Arc<Session>, RequestError> {
        let session = self.session.borrow().clone();
        let is_up = matches!(*self.link.borrow(), Link::Up(_));
        session.filter(|_| is_up).ok_or(RequestError::NotConnected)
    }

    /// One request, whatever the link says: for the question that brings the link up.
    pub(super) async fn request_in<T: DeserializeOwned>(
        &self,
        session: &Session,
        verb: &str,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<T, RequestError> {
        let answer = self.ask_in(session, verb, payload, timeout).await?;
        answer.read()
    }

    async fn ask_in(
        &self,
        session: &Session,
        verb: &str,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<Answer, RequestError> {
        let subject = format!("{}.{verb}", session.api.prefix());
        let request = Request::new().payload(payload);
        let message = self.answer(session, &subject, request, timeout).await?;
        Ok(Answer {
            subject,
            payload: message.payload,
        })
    }

    /// The one answer to a request.
    pub(super) async fn answer(
        &self,
        session: &Session,
        subject: &str,
        request: Request,
        timeout: Duration,
    ) -> Result<Message, RequestError> {
        if !session.is_connected() {
            return Err(RequestError::NotConnected);
        }
        let request = request.timeout(Some(timeout));
        let answer = session.client.send_request(subject.to_owned(), request);
        let message = self.undisturbed(subject, answer).await?;
        message.map_err(|error| match error.kind() {
            RequestErrorKind::TimedOut => RequestError::TimedOut {
                subject: subject.to_owned(),
                milliseconds: timeout.as_millis(),
            },
            RequestErrorKind::NoResponders => RequestError::NoResponders {
                subject: subject.to_owned(),
                meaning: session.silence(),
            },
            RequestErrorKind::Other => RequestError::Cut,
            RequestErrorKind::InvalidSubject | RequestErrorKind::MaxPayloadExceeded => {
                RequestError::Unreadable {
                    subject: subject.to_owned(),
                    reason: error.to_string(),
                }
            }
        })
    }

    /// What comes of a request to a subject, unless a lost connection or a denied permission ends
    /// it first.
    pub(super) async fn undisturbed<T>(
        &self,
        subject: &str,
        request: impl Future<Output = T>,
    ) -> Result<T, RequestError> {
        let mut abort = self.abort.subscribe();
        tokio::pin!(request);
        loop {
            // Cancel-safe: the request is polled in place and outlives each turn; a broadcast
            // `recv` loses nothing.
            tokio::select! {
                answer = &mut request => return Ok(answer),
                reason = abort.recv() => match reason {
                    Ok(Abort::Disconnected) => return Err(RequestError::Cut),
                    Ok(Abort::Denied { subject: denied }) if denied == subject => {
                        return Err(RequestError::Denied { subject: denied });
                    }
                    // Another request's denial, or more news than fits: the timeout still stands.
                    _ => {}
                },
            }
        }
    }
}
