using MudBlazor;

namespace DeviceHub.Dashboard;

/// <summary>MudBlazor's theme. The same colours are in wwwroot/hub.css, for what is ours and for the moment before a page is live.</summary>
internal static class HubTheme
{
    private static readonly string[] Fonts =
        ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans SC", "Noto Sans CJK SC", "sans-serif"];

    public static readonly MudTheme Theme = new()
    {
        PaletteLight = new PaletteLight
        {
            Primary = "#2457d6", Secondary = "#5b6472", Success = "#18794e", Warning = "#8f5b00", Error = "#c02a2a", Info = "#2457d6",
            Background = "#f6f7f9", BackgroundGray = "#eef0f3", Surface = "#ffffff", AppbarBackground = "#ffffff", AppbarText = "#1a1f29",
            TextPrimary = "#1a1f29", TextSecondary = "#566070", TextDisabled = "#8a93a1", ActionDefault = "#566070", Divider = "#e1e5ea", LinesDefault = "#e1e5ea",
            LinesInputs = "#7d8795", TableLines = "#e8ebef", TableHover = "#f1f4f9",
        },
        PaletteDark = new PaletteDark
        {
            Primary = "#7aa5ff", PrimaryContrastText = "#0f1216", Secondary = "#9aa4b2", Success = "#4cc38a", Warning = "#e8b54a", Error = "#ff8a80", ErrorContrastText = "#0f1216",
            Info = "#7aa5ff", Background = "#0f1216", BackgroundGray = "#13171c", Surface = "#171b21", AppbarBackground = "#171b21", AppbarText = "#e6e9ee",
            TextPrimary = "#e6e9ee", TextSecondary = "#a3adba", TextDisabled = "#6f7986", ActionDefault = "#a3adba", Divider = "#2a3038", LinesDefault = "#2a3038",
            LinesInputs = "#6f7986", TableLines = "#242a32", TableHover = "#1d232b",
        },
        LayoutProperties = new LayoutProperties { DefaultBorderRadius = "6px" },
        Typography = new Typography
        {
            Default = new DefaultTypography { FontFamily = Fonts, FontSize = ".8125rem", LineHeight = "1.45" },
            Body1 = new Body1Typography { FontFamily = Fonts, FontSize = ".8125rem", LineHeight = "1.45" },
            Body2 = new Body2Typography { FontFamily = Fonts, FontSize = ".8125rem", LineHeight = "1.45" },
            Button = new ButtonTypography { FontFamily = Fonts, FontSize = ".8125rem", TextTransform = "none", FontWeight = "600" },
            H6 = new H6Typography { FontFamily = Fonts, FontSize = "1rem", FontWeight = "600" },
            Caption = new CaptionTypography { FontFamily = Fonts, FontSize = ".75rem" },
        },
    };
}
