//! A chart as a PNG. Comes in: an SVG that this module wrote or `foreign` has checked, and how many dots a pixel has. Goes out: the
//! same bytes for the same SVG, on every machine. Must never read a font, an image or anything else from the machine.

use std::sync::{Arc, LazyLock};

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{ImageHrefResolver, Options, Tree, fontdb},
};

use super::{Svg, font};
use crate::{
    limits::CHART_DOTS_MAX,
    reason::{Invalid, Reason},
};

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(font::REGULAR.to_vec());
    fonts.load_font_data(font::BOLD.to_vec());
    Arc::new(fonts)
});

impl Svg {
    /// As a PNG, with `scale` dots a pixel: 1 for a screen, 2 for a sharp one, 3 or 4 for print.
    ///
    /// # Errors
    /// `FIELD_INVALID` of a scale that is none of 1 to 4; `LIMIT_EXCEEDED` past [`CHART_DOTS_MAX`].
    pub fn png(&self, scale: u8) -> Result<Vec<u8>, Invalid> {
        drawn(self.as_str(), scale)
    }
}

/// An SVG, read: no image in it is looked for, on the machine or anywhere.
pub(super) fn read(svg: &str) -> Result<Tree, Invalid> {
    let nothing = ImageHrefResolver {
        resolve_data: Box::new(|_, _, _| None),
        resolve_string: Box::new(|_, _| None),
    };
    let options = Options {
        fontdb: FONTS.clone(),
        font_family: "Noto Sans".into(),
        image_href_resolver: nothing,
        ..Options::default()
    };
    Tree::from_str(svg, &options).map_err(|_| {
        Invalid::new(Reason::Internal, "chart", "the chart cannot be read as SVG; report it")
    })
}

/// What [`Svg::png`] says, of any SVG.
pub(super) fn drawn(svg: &str, scale: u8) -> Result<Vec<u8>, Invalid> {
    if !(1..=4).contains(&scale) {
        let detail = format!("{scale} is not a scale: take 1, 2, 3 or 4");
        return Err(Invalid::new(Reason::FieldInvalid, "scale", detail));
    }
    let failed = |what: &str| Invalid::new(Reason::Internal, "chart", what);
    let tree = read(svg)?;
    let size = tree.size().to_int_size();
    let dots = |edge: u32| edge.saturating_mul(u32::from(scale));
    let (width, height) = (dots(size.width()), dots(size.height()));
    let all = u64::from(width) * u64::from(height);
    if all > CHART_DOTS_MAX {
        let detail = format!(
            "{all} dots where {CHART_DOTS_MAX} is the most: take a smaller scale, fewer rows, or SVG"
        );
        return Err(Invalid::new(Reason::LimitExceeded, "scale", detail));
    }
    let mut pixels = Pixmap::new(width, height).ok_or_else(|| failed("the chart is empty"))?;
    let scale = f32::from(scale);
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|_| failed("the PNG cannot be written; report it"))
}
