using QRCoder;

namespace DeviceHub.Dashboard.Terminals;

/// <summary>An activation code as a QR image: the code as it is printed, which is all that it holds (firmware-protocol/README.md).</summary>
internal static class QrImage
{
    /// <summary>SVG that grows with its box, dark on white in every theme: scanners want it so.</summary>
    public static string Svg(string code)
    {
        using var generator = new QRCodeGenerator();
        using var data = generator.CreateQrCode(code, QRCodeGenerator.ECCLevel.M);
        using var image = new SvgQRCode(data);
        return image.GetGraphic(4, "#000000", "#ffffff", drawQuietZones: true, SvgQRCode.SizingMode.ViewBoxAttribute);
    }
}
