package trade

import "strings"

// contractVenues are the MICs, of ISO 10383, of exchanges and segments on which derivatives are traded, or power and
// gas: what an amount is worth there depends on the contract, and prices at or below zero occur. Exchanges that also
// trade shares under the same MIC are left out, and so are OTC venues.
const contractVenues = "" +
	// Options on shares and indexes in the US
	"XCBO C2OX EDGO BATO XBOX XNDQ XBXO XPHO XPHL XISX GMNI MCRY XMIO EMLD MPRL SPHR AMXO ARCO MXOP " +
	"OPRA " +
	// Futures in North America
	"XCBF XCBD XCBT FCBT XKBT XCME FCME XIOM XNYM XCEC XNYL XNYE IFUS IFED IMEN XMGE XMFE XCFF FREX " +
	"FNFT CDNA NODX XIMX XMOD NGXC " +
	// Europe
	"XEUR XEUC XEUE XEUI XECO XMAT XMON XBRD XDMI XADE XOBD CEDX XBSD XNRG WDER XMRV XMPW XMFX IFEU " +
	"IFLX IFLL IFEN IFLO IFUT NDEX IMCO NDXS NDCM XLME XLIF XLOD OMIP NORX ELUK ELNO ELEU TMEX FTRM " +
	"XFNO RTSX DCAS SEED DKED NOED FIED " +
	// Power and gas in Europe
	"XEEE XEER XEEO XPSF XPOW EPEX UKPX BLPX NLPX N2EX EXAA HUPX HUDX XGME XPXE XRPM XSOP NOPS NSPO " +
	"OMIC MIBG MDRV PLPD PLPO PLPS HEMO HEDE HESP HGSP IBEX XCRO BGHX GETB MEPX EXTR XEDA XEID " +
	// Asia, Africa, Latin America
	"XOSE XTKT XTKO XKAC XHKF XKFE XKCM XTAF XSIM XSCE XSFE NZFX NZXD XSGE XINE XDCE XZCE CCFX GFEX " +
	"XIMC XNCD NMCE PXIL TFEX ICDX XBBJ DGCX DUMX IFAD IFSG JADX SMEX XHNF XSAF XSFA YLDX ZFXM ROFX " +
	"BRIX IMEX NCEL "

// usShareVenues are the national securities exchanges of the US and their dark books, on which shares and funds are
// quoted in dollars a unit (Regulation NMS, rule 612: https://www.law.cornell.edu/cfr/text/17/242.612). Their options
// have MICs of their own. FINRA's are left out: bonds are reported to it too.
const usShareVenues = "" +
	"XNAS XNGS XNMS XNCM XBOS BOSD XPSX PSXD NASD XNYS NYSD ARCX ARCD XASE XCHI XCIS CISD BATS BZXD " +
	"BATY BYXD EDGA EDGD EDGX EDDP IEXG MEMX LTSE EPRL EPRD CBSX TXSE TXSD 24EQ 24DX "

// venueKinds says what is traded on a venue, if only one kind is.
var venueKinds = func() map[string]instrument {
	kinds := map[string]instrument{}
	for _, mic := range strings.Fields(contractVenues) {
		kinds[mic] = contract
	}
	for _, mic := range strings.Fields(usShareVenues) {
		kinds[mic] = share
	}
	return kinds
}()
