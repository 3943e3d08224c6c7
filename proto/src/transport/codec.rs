//! The codec of every call: protobuf that refuses fields nobody knows, on both ends.

use std::marker::PhantomData;

use bytes::Buf as _;
use prost::{Message, Name};
use tonic::{
    Status,
    codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use crate::strict;

/// Named in the generated code (build.rs).
#[derive(Clone, Copy, Debug)]
pub struct StrictCodec<E, D>(PhantomData<(E, D)>);

impl<E, D> Default for StrictCodec<E, D> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<E, D> Codec for StrictCodec<E, D>
where
    E: Message + Send + 'static,
    D: Message + Name + Default + Send + 'static,
{
    type Encode = E;
    type Decode = D;
    type Encoder = StrictEncoder<E>;
    type Decoder = StrictDecoder<D>;

    fn encoder(&mut self) -> StrictEncoder<E> {
        StrictEncoder(PhantomData)
    }

    fn decoder(&mut self) -> StrictDecoder<D> {
        StrictDecoder(PhantomData)
    }
}

/// Writes messages.
#[derive(Debug)]
pub struct StrictEncoder<E>(PhantomData<E>);

impl<E: Message> Encoder for StrictEncoder<E> {
    type Item = E;
    type Error = Status;

    fn encode(&mut self, item: E, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

/// Reads messages, all of them.
#[derive(Debug)]
pub struct StrictDecoder<D>(PhantomData<D>);

impl<D: Message + Name + Default> Decoder for StrictDecoder<D> {
    type Item = D;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<D>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        Ok(Some(strict::decode("message", &bytes)?))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}
